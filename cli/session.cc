#include "cli/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "services/http/est_client.h"
#include "services/rpc/channel.h"
#include "tsunagi/identity/v1/account_service.grpc.pb.h"
#include "tsunagi/identity/v1/identity_service.grpc.pb.h"
#include "tsunagi/identity/v1/membership_service.grpc.pb.h"

namespace tsunagi::cli {
namespace {

using identity::v1::IdentityService;
using identity::v1::MembershipService;

constexpr char kRegistrar[] = "registrar";
constexpr absl::Duration kTokenRenewal = absl::Minutes(5);
constexpr int kPageSize = 1000;

}  // namespace

Session::Session(Profile profile, internal::v1::OperatorConfig config, Credentials credentials,
                 absl::Duration timeout)
    : profile_(std::move(profile)),
      config_(std::move(config)),
      credentials_(std::move(credentials)),
      bundle_(KeptBundle(profile_, config_, credentials_.root)),
      timeout_(timeout) {}

absl::StatusOr<std::unique_ptr<Session>> Session::Open(Profile profile, absl::Duration timeout,
                                                       const Acting& acting) {
  ASSIGN_OR_RETURN(auto config, profile.LoadConfig());
  ASSIGN_OR_RETURN(auto credentials, profile.LoadCredentials());
  auto session = std::unique_ptr<Session>(
      new Session(std::move(profile), std::move(config), std::move(credentials), timeout));
  session->RenewCertificate();
  RETURN_IF_ERROR(session->ActFor(acting));
  return session;
}

void Session::RefreshBundle() { bundle_ = NewestBundle(profile_, config_, std::move(bundle_)); }

bool Session::FollowRoots() {
  const uint64_t known = bundle_.version;
  RefreshBundle();
  if (bundle_.version == known) return false;
  channels_.clear();
  return true;
}

absl::Status Session::ActFor(const Acting& acting) {
  if (acting.party.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(grantor_, FindParticipant(acting.party));
  if (acting.node.empty()) return absl::OkStatus();
  grantor_->clear_endpoints();
  identity::v1::Endpoint& endpoint = *grantor_->add_endpoints();
  endpoint.set_process("node");
  endpoint.set_address(acting.node);
  return absl::OkStatus();
}

absl::StatusOr<std::string> Session::PartyDid() {
  return grantor_.has_value() ? grantor_->did() : FindDid(config_.participant());
}

// An old certificate that cannot be renewed now is tried as it is: the server says when it is too old.
void Session::RenewCertificate() {
  const crypto::Certificate& leaf = credentials_.chain.front();
  const absl::Time half = leaf.not_before + (leaf.not_after - leaf.not_before) / 2;
  if (absl::Now() < half) return;
  RefreshBundle();
  const auto request =
      crypto::MakeCertificateRequest(credentials_.key, leaf.dns_names.front(), leaf.uris, leaf.dns_names);
  if (!request.ok()) return;
  auto chain = http::SimpleReenroll(config_.registrar().est_url(), bundle_.RootsAt(absl::Now()),
                                    credentials_.key, credentials_.chain, *request);
  if (!chain.ok() || !profile_.SaveCertificates(*chain, credentials_.root).ok()) return;
  credentials_.chain = *std::move(chain);
}

std::string Session::ProcessFor(absl::string_view service) const {
  if (grantor_.has_value()) return AddressOf("node").ok() ? "node" : std::string(service);
  return config_.node().empty() ? std::string(service) : "node";
}

std::string Session::AccountsProcess() const {
  return config_.participant() == kRegistrar ? kRegistrar : ProcessFor("connector");
}

void Session::UseClient(std::string client, std::string secret) {
  client_ = std::move(client);
  client_secret_ = std::move(secret);
}

absl::StatusOr<identity::v1::SignInResponse> Session::SignIn(const identity::v1::SignInRequest& request) {
  using identity::v1::AccountService;
  return CallWith<AccountService>("", AccountsProcess(), &AccountService::Stub::SignIn, request);
}

absl::StatusOr<identity::v1::BeginOpenIdSignInResponse> Session::BeginOpenIdSignIn(
    const identity::v1::BeginOpenIdSignInRequest& request) {
  using identity::v1::AccountService;
  return CallWith<AccountService>("", AccountsProcess(), &AccountService::Stub::BeginOpenIdSignIn, request);
}

absl::StatusOr<identity::v1::CompleteOpenIdSignInResponse> Session::CompleteOpenIdSignIn(
    const identity::v1::CompleteOpenIdSignInRequest& request) {
  using identity::v1::AccountService;
  return CallWith<AccountService>("", AccountsProcess(), &AccountService::Stub::CompleteOpenIdSignIn,
                                  request);
}

// The own session is for the own processes: no other party may see it.
absl::StatusOr<std::string> Session::AccountToken(absl::string_view process) {
  if (process == kRegistrar && config_.participant() != kRegistrar) return "";
  // A session is for this participant's own processes: nobody else may have its token.
  if (process != kRegistrar && grantor_.has_value()) return "";
  if (client_.empty()) {
    const auto kept = profile_.LoadAccountSession();
    return kept ? kept->token : "";
  }
  if (client_token_.empty()) {
    identity::v1::SignInRequest request;
    request.set_account(client_);
    request.set_secret(client_secret_);
    ASSIGN_OR_RETURN(const auto response, SignIn(request));
    client_token_ = response.session();
  }
  return client_token_;
}

std::vector<std::string> Session::OwnProcesses() const {
  std::vector<std::string> processes;
  if (config_.participant() == kRegistrar) processes.push_back(kRegistrar);
  for (const char* process : {"node", "connector", "catalog", "passport"}) {
    if (AddressOf(process).ok()) processes.push_back(process);
  }
  return processes;
}

absl::StatusOr<std::string> Session::AddressOf(absl::string_view process) const {
  if (grantor_.has_value() && process != kRegistrar) {
    for (const identity::v1::Endpoint& endpoint : grantor_->endpoints()) {
      if (endpoint.process() == process) return endpoint.address();
    }
    return absl::FailedPreconditionError(absl::StrCat("the directory names no address of `", process,
                                                      "` of `", grantor_->label(),
                                                      "`: add `--node HOST:PORT`"));
  }
  const std::pair<absl::string_view, const std::string*> addresses[] = {
      {kRegistrar, &config_.registrar().address()},
      {"node", &config_.node()},
      {"connector", &config_.connector()},
      {"catalog", &config_.catalog()},
      {"passport", &config_.passport()}};
  for (const auto& [name, address] : addresses) {
    if (name == process && !address->empty()) return *address;
  }
  return absl::FailedPreconditionError(absl::StrCat("operator.yaml names no address of `", process,
                                                    "`: add `", process,
                                                    ": host:port`, or `node: host:port`"));
}

std::shared_ptr<grpc::Channel> Session::NewChannel(const std::string& address, absl::string_view process,
                                                   const std::string& token) const {
  const absl::string_view party = grantor_.has_value() ? grantor_->label() : config_.participant();
  const absl::string_view label = process == kRegistrar ? kRegistrar : party;
  std::string chain;
  for (const crypto::Certificate& certificate : credentials_.chain) chain += crypto::ToPem(certificate);
  std::string roots;
  for (const crypto::Certificate& root : bundle_.RootsAt(absl::Now())) roots += crypto::ToPem(root);
  return rpc::NewChannel(address, rpc::ProcessDnsName(process, label, config_.federation()),
                         credentials_.key.ToPem(), chain, roots, token,
                         std::make_shared<const identity::Bundle>(bundle_));
}

absl::StatusOr<std::string> Session::NewToken() {
  RefreshBundle();
  const auto stub = IdentityService::NewStub(NewChannel(config_.registrar().address(), kRegistrar, ""));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout_));
  identity::v1::IssueTokenResponse response;
  const grpc::Status status = stub->IssueToken(&context, identity::v1::IssueTokenRequest(), &response);
  if (!status.ok()) return Annotate(AtProcess(status, kRegistrar), "asking for a token");
  ASSIGN_OR_RETURN(const absl::Time expires_at, FromProto(response.expire_time()));
  RETURN_IF_ERROR(
      profile_.SaveToken(credentials_.chain.front(), {response.token(), absl::Now(), expires_at}));
  return response.token();
}

// While the registrar is away the kept token goes on being used: its life is for the called process to judge.
absl::StatusOr<std::string> Session::Token() {
  const auto kept = profile_.LoadToken(credentials_.chain.front());
  if (kept &&
      absl::Now() < kept->issued_at + std::min(kTokenRenewal, (kept->expires_at - kept->issued_at) / 2)) {
    return kept->token;
  }
  auto token = NewToken();
  const bool away = absl::IsUnavailable(token.status()) || absl::IsDeadlineExceeded(token.status());
  return away && kept ? kept->token : token;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Session::ChannelTo(absl::string_view process) {
  auto& channel = channels_[std::string(process)];
  if (channel == nullptr) {
    ASSIGN_OR_RETURN(const std::string address, AddressOf(process));
    ASSIGN_OR_RETURN(const std::string token, Token());
    channel = NewChannel(address, process, token);
  }
  return channel;
}

absl::Status Session::AtProcess(const grpc::Status& status, absl::string_view process) const {
  const auto address = AddressOf(process);
  return Annotate(rpc::FromGrpcStatus(status), absl::StrCat(process, " at ", address.ok() ? *address : "?"));
}

absl::StatusOr<identity::v1::ListParticipantsResponse> Session::FetchParticipants(const std::string& search,
                                                                                  const std::string& role) {
  identity::v1::ListParticipantsResponse all;
  identity::v1::ListParticipantsRequest request;
  request.set_page_size(kPageSize);
  request.set_search(search);
  request.set_role(role);
  do {
    ASSIGN_OR_RETURN(const auto page, Call<MembershipService>(
                                          kRegistrar, &MembershipService::Stub::ListParticipants, request));
    all.mutable_participants()->MergeFrom(page.participants());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

absl::StatusOr<identity::v1::ListParticipantsResponse> Session::Participants() {
  if (participants_) return *participants_;
  auto fetched = FetchParticipants("", "");
  if (fetched.ok()) {
    RETURN_IF_ERROR(profile_.SaveParticipants(*fetched));
    participants_ = *std::move(fetched);
    return *participants_;
  }
  if (!absl::IsUnavailable(fetched.status()) && !absl::IsDeadlineExceeded(fetched.status()))
    return fetched.status();
  participants_ = profile_.LoadParticipants();
  if (!participants_) return fetched.status();
  return *participants_;
}

absl::StatusOr<identity::v1::Participant> Session::FindParticipant(absl::string_view did_or_label) {
  ASSIGN_OR_RETURN(const auto all, Participants());
  for (const auto& listed : all.participants()) {
    const auto& participant = listed.participant();
    if (participant.did() == did_or_label || participant.label() == did_or_label) return participant;
  }
  return absl::NotFoundError(absl::StrCat("no participant `", did_or_label,
                                          "` is listed: `tsunagi participant list` shows labels and DIDs"));
}

absl::StatusOr<std::string> Session::FindDid(absl::string_view did_or_label) {
  if (absl::ConsumePrefix(&did_or_label, "did:")) return absl::StrCat("did:", did_or_label);
  ASSIGN_OR_RETURN(const auto participant, FindParticipant(did_or_label));
  return participant.did();
}

std::string Session::NameOf(absl::string_view did) {
  const auto participant = FindParticipant(did);
  return participant.ok() ? participant->label() : std::string(did);
}

}  // namespace tsunagi::cli
