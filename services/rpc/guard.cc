#include "services/rpc/guard.h"

#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/server_context.h"
#include "services/rpc/channel.h"
#include "services/rpc/status.h"
#include "services/rpc/unary_call.h"

namespace tsunagi::rpc {
namespace {

constexpr size_t kMaxPeers = 4096;
constexpr size_t kMaxLogged = 128;
constexpr absl::string_view kOperator = "operator";

absl::string_view View(grpc::string_ref text) { return {text.data(), text.size()}; }

// A refusal reaches the caller with this code; the operator sees who it was.
void LogDenial(absl::string_view method, const grpc::AuthContext& connection, const absl::Status& status) {
  std::string peer;
  for (const grpc::string_ref& uri : connection.FindPropertyValues(GRPC_PEER_SPIFFE_ID_PROPERTY_NAME)) {
    absl::StrAppend(&peer, peer.empty() ? "" : " ", View(uri));
  }
  log::Warning("call denied", {{"method", std::string(method.substr(0, kMaxLogged))},
                               {"peer", peer.substr(0, kMaxLogged)},
                               {"code", absl::StatusCodeToString(status.code())},
                               {"reason", std::string(status.message())}});
}

// Whether both are the same view, not only equal ones.
bool IsSame(const std::weak_ptr<const identity::TrustView>& one,
            const std::shared_ptr<const identity::TrustView>& other) {
  return !one.owner_before(other) && !other.owner_before(one);
}

// The value of the only authorization header, without `Bearer `.
absl::StatusOr<absl::string_view> BearerToken(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  const auto [begin, end] = metadata.equal_range("authorization");
  if (begin == end) return absl::UnauthenticatedError("no access token: expected one `authorization` header");
  if (std::next(begin) != end)
    return absl::UnauthenticatedError("several `authorization` headers: expected one");
  absl::string_view value = View(begin->second);
  if (!absl::ConsumePrefix(&value, "Bearer ")) {
    return absl::UnauthenticatedError("`authorization` header: expected `Bearer` and an access token");
  }
  return value;
}

// The token is the peer's: bound to its certificate, and about its participant.
absl::Status CheckClaims(const absl::StatusOr<identity::TokenClaims>& claims, const Peer& peer,
                         const std::string& did) {
  RETURN_IF_ERROR(claims.status());
  if (!crypto::ConstantTimeEquals(claims->certificate_sha256, peer.certificate_sha256)) {
    return absl::UnauthenticatedError("the access token is bound to another certificate");
  }
  if (claims->subject != did) return absl::UnauthenticatedError("the access token is another participant's");
  return absl::OkStatus();
}

std::vector<std::string> MethodsOf(const std::vector<AccessRow>& rows) {
  std::vector<std::string> methods;
  methods.reserve(rows.size());
  for (const AccessRow& row : rows) methods.emplace_back(row.method);
  return methods;
}

class GuardProcessor final : public grpc::AuthMetadataProcessor {
 public:
  explicit GuardProcessor(Guard& guard) : guard_(guard) {}

  // True would send every call through another thread: measured at half of the calls per second.
  bool IsBlocking() const override { return false; }
  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* connection, OutputMetadata*,
                       OutputMetadata*) override {
    const auto path = metadata.find(":path");
    const absl::string_view method = path == metadata.end() ? absl::string_view() : View(path->second);
    const absl::Status status = guard_.Check(method, metadata, *connection).status();
    if (status.ok()) return grpc::Status::OK;
    guard_.counts().CountRefused(method, status);
    LogDenial(method, *connection, status);
    return ToGrpcStatus(status);
  }

 private:
  Guard& guard_;
};

}  // namespace

Guard::Guard(GuardOptions options, std::vector<AccessRow> rows, identity::TokenVerifier& tokens,
             const identity::TrustStore& trust, const Clock& clock, people::SessionTable* sessions)
    : options_(std::move(options)),
      counts_(MethodsOf(rows)),
      tokens_(tokens),
      trust_(trust),
      clock_(clock),
      sessions_(sessions) {
  for (const AccessRow& row : rows) rows_.emplace(row.method, row);
}

absl::StatusOr<Caller> Guard::Check(absl::string_view method, const Metadata& metadata,
                                    const grpc::AuthContext& connection) {
  const auto row = rows_.find(method);
  if (row == rows_.end()) {
    return Counted(Denial::kUnknownMethod, absl::UnimplementedError("no such method here"));
  }
  ASSIGN_OR_RETURN(Caller caller, Identify(metadata, connection, row->second.who != Who::kCertificate));
  TakeMandate(row->second.scope, caller);
  RETURN_IF_ERROR(Counted(Denial::kNotAllowed, CheckRow(row->second, caller)));
  RETURN_IF_ERROR(Counted(Denial::kSession, CheckRole(row->second, caller)));
  return caller;
}

absl::Status Guard::Counted(Denial denial, absl::Status status) {
  if (!status.ok()) counts_.CountDenial(denial);
  return status;
}

absl::StatusOr<Peer> Guard::Judge(absl::string_view pem, const identity::TrustView& view) const {
  ASSIGN_OR_RETURN(const Peer named, PeerFromCertificate(pem));
  if (named.federation == options_.federation) return BelievedPeer(pem, *view.bundle, clock_.Now());
  const auto federation = view.federations->by_name.find(named.federation);
  if (federation == view.federations->by_name.end()) {
    return absl::UnauthenticatedError(absl::StrCat("client certificate: expected one of federation `",
                                                   options_.federation, "`, or of one that it trusts"));
  }
  return BelievedPeer(pem, *federation->second->bundle, clock_.Now());
}

absl::StatusOr<Guard::Known> Guard::KnownPeer(absl::string_view pem, const identity::TrustView& view) {
  const Basis basis = {view.bundle->version, view.federations->version};
  {
    MutexLock lock(mutex_);
    const auto known = peers_.find(pem);
    if (peers_basis_ == basis && known != peers_.end()) return known->second;
  }
  ASSIGN_OR_RETURN(Peer read, Judge(pem, view));
  Known known = {std::make_shared<const Peer>(std::move(read)), nullptr};
  MutexLock lock(mutex_);
  // A call that began under an older bundle keeps nothing.
  if (basis < peers_basis_) return known;
  if (basis > peers_basis_ || peers_.size() >= kMaxPeers) peers_.clear();
  peers_basis_ = basis;
  peers_.emplace(pem, known);
  return known;
}

void Guard::Remember(absl::string_view pem, std::shared_ptr<const Recognised> last) {
  MutexLock lock(mutex_);
  const auto known = peers_.find(pem);
  if (known != peers_.end()) known->second.last = std::move(last);
}

absl::StatusOr<Caller> Guard::Identify(const Metadata& metadata, const grpc::AuthContext& connection,
                                       bool with_token) {
  const std::shared_ptr<const identity::TrustView> view = trust_.View();
  const absl::Time now = clock_.Now();
  const std::vector<grpc::string_ref> pems = connection.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pems.size() != 1) {
    return Counted(Denial::kCertificate, absl::UnauthenticatedError("no client certificate"));
  }
  absl::StatusOr<Known> found = KnownPeer(View(pems[0]), *view);
  RETURN_IF_ERROR(Counted(Denial::kCertificate, found.status()));
  Known& known = *found;
  RETURN_IF_ERROR(CheckNow(*known.peer, *view, now));
  if (known.peer->federation != options_.federation) return IdentifyGuest(metadata, *known.peer, *view);
  if (!with_token) {
    ASSIGN_OR_RETURN(auto identity, IdentityOf(*known.peer, *view));
    return Caller(std::move(identity));
  }
  const absl::StatusOr<absl::string_view> bearer = BearerToken(metadata);
  RETURN_IF_ERROR(Counted(Denial::kToken, bearer.status()));
  const absl::string_view token = *bearer;
  // Compared as fast as can be: how long it takes tells only the certificate's holder, whose token it is.
  if (known.last != nullptr && IsSame(known.last->view, view) && known.last->token == token) {
    RETURN_IF_ERROR(Counted(Denial::kToken, identity::CheckTokenTimes(known.last->claims, now)));
  } else {
    ASSIGN_OR_RETURN(known.last, Recognise(view, *known.peer, token));
    Remember(View(pems[0]), known.last);
  }
  Caller caller(known.last->identity);
  RETURN_IF_ERROR(Counted(Denial::kSession, ReadSession(metadata, caller)));
  return caller;
}

absl::Status Guard::CheckNow(const Peer& peer, const identity::TrustView& view, absl::Time now) {
  // A connection outlives its certificate.
  if (now >= peer.not_after) {
    const std::string end = absl::FormatTime(peer.not_after, absl::UTCTimeZone());
    return Counted(Denial::kCertificate,
                   absl::UnauthenticatedError(absl::StrCat("client certificate expired at `", end, "`")));
  }
  if (view.StatusAge(now) > options_.status_list_max_age) {
    return Counted(
        Denial::kStatusListAge,
        absl::UnavailableError("the status list is older than the federation allows: the registrar "
                               "was away too long"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Guard::Recognised>> Guard::Recognise(
    const std::shared_ptr<const identity::TrustView>& view, const Peer& peer, absl::string_view token) {
  Recognised recognised;
  recognised.view = view;
  recognised.token = std::string(token);
  ASSIGN_OR_RETURN(recognised.identity, IdentityOf(peer, *view));
  absl::StatusOr<identity::TokenClaims> claims = tokens_.Verify(token);
  RETURN_IF_ERROR(Counted(Denial::kToken, CheckClaims(claims, peer, recognised.identity->did)));
  recognised.claims = *std::move(claims);
  return std::make_shared<const Recognised>(std::move(recognised));
}

absl::StatusOr<std::shared_ptr<const Caller::Identity>> Guard::IdentityOf(const Peer& peer,
                                                                          const identity::TrustView& view) {
  const auto party = view.by_label.find(peer.label);
  if (party == view.by_label.end()) {
    return Counted(Denial::kNotListed, absl::PermissionDeniedError(absl::StrCat(
                                           "participant `", peer.label, "` is not in the directory")));
  }
  const identity::v1::Participant& participant = party->second->participant;
  if (view.IsSuspended(participant.did())) {
    return Counted(Denial::kSuspended,
                   absl::PermissionDeniedError(absl::StrCat("participant `", peer.label, "` is suspended")));
  }
  Caller::Identity who;
  who.did = participant.did();
  who.label = peer.label;
  who.process = peer.process;
  who.roles.assign(participant.roles().begin(), participant.roles().end());
  who.certificate_sha256 = peer.certificate_sha256;
  who.not_after = peer.not_after;
  return std::make_shared<const Caller::Identity>(std::move(who));
}

absl::StatusOr<Caller> Guard::IdentifyGuest(const Metadata& metadata, const Peer& peer,
                                            const identity::TrustView& view) {
  const auto trusted = view.FindFederation(peer.federation);
  RETURN_IF_ERROR(Counted(Denial::kNotListed, trusted.status()));
  const std::shared_ptr<const identity::TrustedFederation>& federation = *trusted;
  RETURN_IF_ERROR(Counted(Denial::kStatusListAge, CheckRoster(*federation)));
  const auto member = federation->roster->by_label.find(peer.label);
  if (member == federation->roster->by_label.end()) {
    return Counted(Denial::kNotListed, absl::PermissionDeniedError(absl::StrCat(
                                           "participant `", peer.label, "` of federation `", peer.federation,
                                           "` is not in its roster, or suspended")));
  }
  const std::string& did = member->second.did;
  if (view.by_did.contains(did)) {
    return Counted(
        Denial::kCertificate,
        absl::PermissionDeniedError(absl::StrCat(
            "`", did, "` is a participant of this federation: call with a certificate of its own")));
  }
  const absl::StatusOr<absl::string_view> token = BearerToken(metadata);
  RETURN_IF_ERROR(Counted(Denial::kToken, token.status()));
  RETURN_IF_ERROR(Counted(Denial::kToken, CheckClaims(tokens_.VerifyOf(*token, *federation), peer, did)));
  Caller::Identity who;
  who.did = did;
  who.label = absl::StrCat(peer.label, ".", peer.federation);
  who.federation = peer.federation;
  who.process = peer.process;
  who.roles = federation->RolesHere(member->second.roles);
  who.certificate_sha256 = peer.certificate_sha256;
  who.not_after = peer.not_after;
  return Caller(std::make_shared<const Caller::Identity>(std::move(who)));
}

absl::Status Guard::CheckRoster(const identity::TrustedFederation& federation) const {
  if (federation.roster == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("the roster of federation `", federation.name(), "` is not known here yet: try again"));
  }
  if (clock_.Now() - federation.roster->issued_at > options_.status_list_max_age) {
    return absl::UnavailableError(absl::StrCat("the roster of federation `", federation.name(),
                                               "` is older than this federation allows"));
  }
  return absl::OkStatus();
}

bool Guard::IsOwnOperator(const Caller& caller) const {
  return caller.label() == options_.own_label && caller.process() == kOperator;
}

absl::Status Guard::ReadSession(const Metadata& metadata, Caller& caller) {
  if (sessions_ == nullptr || !IsOwnOperator(caller)) return absl::OkStatus();
  const auto [begin, end] = metadata.equal_range(kSessionHeader);
  if (begin == end) return absl::OkStatus();
  if (std::next(begin) != end) {
    return absl::UnauthenticatedError(absl::StrCat("several `", kSessionHeader, "` headers: expected one"));
  }
  ASSIGN_OR_RETURN(const people::Session session,
                   sessions_->Use(View(begin->second), caller.certificate_sha256()));
  caller.account_ = session.account;
  caller.session_ = session.digest;
  return absl::OkStatus();
}

absl::Status Guard::CheckRole(const AccessRow& row, const Caller& caller) {
  const bool of_operator = row.who == Who::kOwnOperator || row.who == Who::kOwnParticipant;
  if (sessions_ == nullptr || !of_operator || !IsOwnOperator(caller) || row.role == people::kNoRole) {
    return absl::OkStatus();
  }
  return Annotate(sessions_->CheckRole(caller.session(), row.role), absl::StrCat("`", row.method, "`"));
}

void Guard::TakeMandate(absl::string_view scope, Caller& caller) const {
  if (scope.empty() || caller.label() == options_.own_label || caller.process() != kOperator) return;
  if (!caller.federation().empty()) return;
  const std::shared_ptr<const identity::TrustView> view = trust_.View();
  const auto own = view->by_label.find(options_.own_label);
  if (own == view->by_label.end()) return;
  const identity::CheckedMandate* mandate =
      identity::FindMandate(*own->second, caller.did(), scope, clock_.Now(), options_.revoked_mandates.get());
  if (mandate != nullptr) caller.mandate_ = mandate->mandate.id();
}

absl::Status Guard::CheckRow(const AccessRow& row, const Caller& caller) const {
  const bool guest = !caller.federation().empty();
  const bool own = caller.label() == options_.own_label;
  const bool is_operator = caller.process() == kOperator;
  const bool acts_for_own = !caller.mandate().empty();
  bool allowed = false;
  switch (row.who) {
    case Who::kCertificate:
    case Who::kParticipant:
      allowed = !guest;
      break;
    case Who::kAnyFederation:
      allowed = true;
      break;
    case Who::kOwnOperator:
      allowed = (own && is_operator) || acts_for_own;
      break;
    case Who::kOwnProcess:
      allowed = own && !is_operator && (row.process.empty() || caller.process() == row.process);
      break;
    case Who::kOwnParticipant:
      allowed = own || acts_for_own;
      break;
  }
  if (allowed) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("`", row.method, "` is not open to process `",
                                                  caller.process(), "` of `", caller.label(), "`"));
}

absl::Status Guard::CheckComplete(const std::vector<std::string>& methods) const {
  std::vector<std::string> wrong;
  absl::flat_hash_map<absl::string_view, bool> known;
  for (const std::string& method : methods) {
    known[method] = true;
    if (!rows_.contains(method)) wrong.push_back(absl::StrCat("`", method, "` has no access row"));
  }
  for (const auto& [method, row] : rows_) {
    if (!known.contains(method)) wrong.push_back(absl::StrCat("access row `", method, "` has no method"));
  }
  if (wrong.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrJoin(wrong, "; "));
}

grpc::ServerUnaryReactor* Guard::ServeCaller(grpc::CallbackServerContext* context,
                                             const absl::StatusOr<Caller>& caller,
                                             const std::function<void(const Caller&, Finish)>& handler) {
  const CallRecord record(context);
  if (!caller.ok()) {
    record.End(caller.status().code());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(caller.status()));
    return reactor;
  }
  auto [reactor, finish] = NewUnaryCall(context, options_.default_deadline, record);
  handler(*caller, std::move(finish));
  return reactor;
}

grpc::ServerUnaryReactor* Guard::Serve(grpc::CallbackServerContext* context,
                                       const std::function<void(const Caller&, Finish)>& handler) {
  return ServeCaller(context, Authenticate(context), handler);
}

grpc::ServerUnaryReactor* Guard::ServeInScope(grpc::CallbackServerContext* context, absl::string_view scope,
                                              const std::function<void(const Caller&, Finish)>& handler) {
  absl::StatusOr<Caller> caller = Authenticate(context);
  if (caller.ok()) TakeMandate(scope, *caller);
  if (caller.ok() && caller->label() != options_.own_label && caller->mandate().empty()) {
    caller = Counted(Denial::kNotAllowed,
                     absl::PermissionDeniedError(absl::StrCat(
                         "`", caller->label(), "` holds no mandate in scope `", scope, "` any more")));
  }
  return ServeCaller(context, caller, handler);
}

grpc::ServerUnaryReactor* Guard::ServeByCertificate(
    grpc::CallbackServerContext* context, const std::function<void(const Caller&, Finish)>& handler) {
  return ServeCaller(context, Identify(context->client_metadata(), *context->auth_context(), false), handler);
}

absl::StatusOr<Caller> Guard::Authenticate(grpc::CallbackServerContext* context) {
  return Identify(context->client_metadata(), *context->auth_context(), true);
}

std::shared_ptr<grpc::AuthMetadataProcessor> Guard::Processor() {
  return std::make_shared<GuardProcessor>(*this);
}

}  // namespace tsunagi::rpc
