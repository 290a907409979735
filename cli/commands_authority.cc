// The registrar's certification authorities and keys.
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/command.h"
#include "cli/values.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/bundle.h"
#include "tsunagi/identity/v1/trust_service.grpc.pb.h"

namespace tsunagi::cli {
namespace {

using identity::v1::AuthorityService;

constexpr char kRegistrar[] = "registrar";

std::string DateOf(absl::Time time) {
  return time == absl::InfiniteFuture() ? "" : absl::FormatTime("%Y-%m-%d %H:%M", time, absl::UTCTimeZone());
}

std::string StateOf(const identity::Anchor& anchor, absl::Time now) {
  if (anchor.removed) return "removed";
  if (anchor.until == absl::InfiniteFuture()) return "counts";
  return now < anchor.until ? "retires" : "retired";
}

absl::StatusOr<Output> List(Context& context) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response,
                   session->Call<AuthorityService>(kRegistrar, &AuthorityService::Stub::GetTrustBundle,
                                                   identity::v1::GetTrustBundleRequest()));
  ASSIGN_OR_RETURN(const identity::Bundle bundle,
                   identity::OpenBundle(response.bundle(), session->config().federation()));
  const absl::Time now = absl::Now();
  Output output;
  output.json = {{"version", bundle.version}, {"anchors", Json::array()}};
  Table table{{"kind", "state", "counts from", "until", "SHA-256"}, {}};
  for (const identity::Anchor& anchor : bundle.anchors) {
    const std::string kind = WordOf(anchor.kind);
    const std::string sha256 = ToHex(anchor.certificate.sha256);
    output.json["anchors"].push_back({{"kind", kind},
                                      {"state", StateOf(anchor, now)},
                                      {"from", DateOf(anchor.from)},
                                      {"until", DateOf(anchor.until)},
                                      {"sha256", sha256}});
    table.rows.push_back({kind, StateOf(anchor, now), DateOf(anchor.from), DateOf(anchor.until), sha256});
  }
  output.Line(absl::StrCat("trust bundle version ", bundle.version, "; times in UTC"));
  output.Add(std::move(table));
  return output;
}

// With two-person approval.
Output Waiting(const std::string& id) {
  Output output;
  output.json = {{"pending_id", id}};
  output.Line(absl::StrCat("proposed, nothing has changed: another person runs `tsunagi authority approve ",
                           id, "` within 7 days"));
  return output;
}

struct Rotation {
  identity::v1::AuthorityKey key = identity::v1::AUTHORITY_KEY_UNSPECIFIED;
  std::string reason;
  bool put_into_use = false;
};

absl::StatusOr<Output> Rotate(Context& context, const Rotation& rotation) {
  identity::v1::RotateKeyRequest request;
  request.set_request_id(NewUuid(context.random));
  request.set_key(rotation.key);
  request.set_reason(rotation.reason);
  request.set_put_into_use(rotation.put_into_use);
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response,
                   session->Call<AuthorityService>(kRegistrar, &AuthorityService::Stub::RotateKey, request));
  if (!response.pending_id().empty()) return Waiting(response.pending_id());
  Output output;
  output.json = {{"key_id", response.key_id()}, {"bundle_version", response.bundle_version()}};
  const bool known = response.bundle_version() != 0 && !rotation.put_into_use;
  output.Line(absl::StrCat("key ", response.key_id(), known ? " is made known" : " is put into use"));
  if (known) {
    output.Line(
        "next: wait until every process has fetched the trust bundle (docs/operations.md, Rolling keys), "
        "then "
        "the same with --put-into-use");
  }
  return output;
}

struct Removal {
  std::string sha256;
  std::string reason;
};

absl::StatusOr<Output> Remove(Context& context, const Removal& removal) {
  identity::v1::RemoveAuthorityRequest request;
  request.set_request_id(NewUuid(context.random));
  request.set_certificate_sha256(removal.sha256);
  request.set_reason(removal.reason);
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response, session->Call<AuthorityService>(
                                            kRegistrar, &AuthorityService::Stub::RemoveAuthority, request));
  if (!response.pending_id().empty()) return Waiting(response.pending_id());
  Output output;
  output.json = {{"bundle_version", response.bundle_version()}};
  output.Line(absl::StrCat("removed from trust bundle version ", response.bundle_version(),
                           " on: whoever has a certificate under it needs a new invitation"));
  return output;
}

struct KeyEnd {
  std::string participant;
  std::string key_id;
  std::string since;
  std::string reason;
};

absl::StatusOr<Output> EndKey(Context& context, const KeyEnd& end) {
  identity::v1::EndKeyRequest request;
  request.set_request_id(NewUuid(context.random));
  request.set_participant(end.participant);
  request.set_key_id(end.key_id);
  request.set_reason(end.reason);
  absl::Time since;
  std::string error;
  if (!end.since.empty() && !absl::ParseTime(absl::RFC3339_full, end.since, &since, &error)) {
    return InvalidArgument({"TIME_INVALID", "since", end.since, "a time such as 2026-11-25T09:00:00+09:00"});
  }
  if (!end.since.empty()) *request.mutable_end_time() = ToProto(since);
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response,
                   session->Call<AuthorityService>(kRegistrar, &AuthorityService::Stub::EndKey, request));
  if (!response.pending_id().empty()) return Waiting(response.pending_id());
  Output output;
  output.json = {{"directory_version", response.directory_version()}};
  output.Line(absl::StrCat("key ", end.key_id, " of ", end.participant, " has ended: directory version ",
                           response.directory_version()));
  return output;
}

std::string ActText(const identity::v1::Proposal& proposal) {
  using identity::v1::Proposal;
  switch (proposal.act_case()) {
    case Proposal::kRotateKey:
      return absl::StrCat("rotate ", WordOf(proposal.rotate_key().key()),
                          proposal.rotate_key().put_into_use() ? " --put-into-use" : "");
    case Proposal::kRemoveAuthority:
      return absl::StrCat("remove ", proposal.remove_authority().certificate_sha256());
    case Proposal::kEndKey:
      return absl::StrCat("end-key ", proposal.end_key().participant(), " ", proposal.end_key().key_id());
    case Proposal::ACT_NOT_SET:
      return "approve the amendment";
  }
  return "";
}

std::string ReasonOf(const identity::v1::Proposal& proposal) {
  if (proposal.has_rotate_key()) return proposal.rotate_key().reason();
  return proposal.has_remove_authority() ? proposal.remove_authority().reason() : proposal.end_key().reason();
}

absl::StatusOr<Output> Proposals(Context& context) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response,
                   session->Call<AuthorityService>(kRegistrar, &AuthorityService::Stub::ListProposals,
                                                   identity::v1::ListProposalsRequest()));
  Output output;
  output.json = ToJson(response);
  Table table{{"id", "act", "reason", "proposed by", "until"}, {}};
  for (const identity::v1::Proposal& proposal : response.proposals()) {
    table.rows.push_back({proposal.id(), ActText(proposal), ReasonOf(proposal), proposal.entered_by(),
                          FormatInstant(proposal.expire_time())});
  }
  output.Add(std::move(table));
  return output;
}

absl::StatusOr<Output> Approve(Context& context, const std::string& id) {
  identity::v1::ApproveProposalRequest request;
  request.set_request_id(NewUuid(context.random));
  request.set_id(id);
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response, session->Call<AuthorityService>(
                                            kRegistrar, &AuthorityService::Stub::ApproveProposal, request));
  Output output;
  output.json = ToJson(response);
  output.Line("done");
  return output;
}

struct Refusal {
  std::string id;
  std::string reason;
};

absl::StatusOr<Output> Decline(Context& context, const Refusal& refusal) {
  identity::v1::DeclineProposalRequest request;
  request.set_request_id(NewUuid(context.random));
  request.set_id(refusal.id);
  request.set_reason(refusal.reason);
  ASSIGN_OR_RETURN(const auto session, context.Open());
  RETURN_IF_ERROR(
      session->Call<AuthorityService>(kRegistrar, &AuthorityService::Stub::DeclineProposal, request)
          .status());
  Output output;
  output.json = Json::object();
  output.Line("declined: nothing has changed");
  return output;
}

void AddProposalCommands(CLI::App& authority, Command& command) {
  authority.add_subcommand("proposals", "acts that wait for another person (二者承認)")->callback([&command] {
    command = Proposals;
  });
  auto id = std::make_shared<std::string>();
  CLI::App* approve = authority.add_subcommand("approve", "do what another person proposed");
  approve->add_option("id", *id, "from `tsunagi authority proposals`")->required();
  approve->callback([&command, id] { command = [id](Context& c) { return Approve(c, *id); }; });
  auto refusal = std::make_shared<Refusal>();
  CLI::App* decline = authority.add_subcommand("decline", "take a proposal back or turn it down");
  decline->add_option("id", refusal->id, "from `tsunagi authority proposals`")->required();
  decline->add_option("--reason", refusal->reason, "why, for the record")->required();
  decline->callback(
      [&command, refusal] { command = [refusal](Context& c) { return Decline(c, *refusal); }; });
}

}  // namespace

void AddAuthorityCommands(CLI::App& app, Command& command) {
  CLI::App* authority =
      app.add_subcommand("authority", "certification authorities (認証局) and keys of the registrar")
          ->require_subcommand(1);
  authority->add_subcommand("list", "the trust bundle")->callback([&command] { command = List; });
  auto rotation = std::make_shared<Rotation>();
  CLI::App* rotate = authority->add_subcommand("rotate", "the next key of a kind (registrar's operator)");
  rotate->add_option("key", rotation->key, "root, issuing, directory, status or token")
      ->required()
      ->transform(CLI::CheckedTransformer(std::map<std::string, identity::v1::AuthorityKey>{
          {"root", identity::v1::AUTHORITY_KEY_ROOT},
          {"issuing", identity::v1::AUTHORITY_KEY_ISSUING},
          {"directory", identity::v1::AUTHORITY_KEY_DIRECTORY},
          {"status", identity::v1::AUTHORITY_KEY_STATUS},
          {"token", identity::v1::AUTHORITY_KEY_TOKEN}}));
  rotate->add_option("--reason", rotation->reason, "why, for the record")->required();
  rotate->add_flag("--put-into-use", rotation->put_into_use,
                   "second step for root and issuing: use the one that was made known, retire the other");
  rotate->callback(
      [&command, rotation] { command = [rotation](Context& c) { return Rotate(c, *rotation); }; });
  auto removal = std::make_shared<Removal>();
  CLI::App* remove =
      authority->add_subcommand("remove", "emergency: nothing under this CA counts (registrar's operator)");
  remove->add_option("sha256", removal->sha256, "of the CA's certificate, as `authority list` shows it")
      ->required();
  remove->add_option("--reason", removal->reason, "why, for the record")->required();
  auto end = std::make_shared<KeyEnd>();
  CLI::App* end_key = authority->add_subcommand(
      "end-key", "end a participant's key that was lost or stolen (registrar's operator)");
  end_key->add_option("participant", end->participant, "label or DID")->required();
  end_key->add_option("key-id", end->key_id, "id of the key, as the directory lists it")->required();
  end_key->add_option("--since", end->since, "since when it is in other hands (RFC 3339); now when absent");
  end_key->add_option("--reason", end->reason, "why, for the record")->required();
  end_key->callback([&command, end] { command = [end](Context& c) { return EndKey(c, *end); }; });
  AddFederationCommands(*authority, command);
  AddProposalCommands(*authority, command);
  remove->callback([&command, removal] { command = [removal](Context& c) { return Remove(c, *removal); }; });
}

}  // namespace tsunagi::cli
