// Trust in other federations, at the registrar.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "cli/command.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/bundle.h"
#include "tsunagi/identity/v1/federation_trust_service.grpc.pb.h"

namespace tsunagi::cli {
namespace {

using identity::v1::FederationTrustService;
using identity::v1::TrustedFederation;

constexpr char kRegistrar[] = "registrar";
constexpr size_t kMaxBundleFile = identity::kMaxBundleBytes * 2;

std::string DateOf(const google::protobuf::Timestamp& time) {
  const absl::StatusOr<absl::Time> parsed = FromProto(time);
  return parsed.ok() ? absl::FormatTime("%Y-%m-%d %H:%M", *parsed, absl::UTCTimeZone()) : "";
}

struct Trusting {
  std::string federation;
  std::string bundle_file;
  std::string fingerprint;
  std::string url;
  std::vector<std::string> did_hosts;
  std::vector<std::string> roles;
  std::string reason;
};

absl::Status AddRoles(const std::vector<std::string>& words, identity::v1::TrustFederationRequest& request) {
  for (const std::string& word : words) {
    const std::vector<std::string> sides = absl::StrSplit(word, '=');
    if (sides.size() != 2) {
      return InvalidArgument({"ROLE_MAPPING_INVALID", "role", word, "THEIRS=OURS such as car-dealer=dealer"});
    }
    identity::v1::RoleMapping& mapping = *request.add_roles();
    mapping.set_theirs(sides[0]);
    mapping.set_ours(sides[1]);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> RootsIn(const identity::v1::SignedTrustBundle& signed_bundle,
                                                 absl::string_view federation) {
  ASSIGN_OR_RETURN(const identity::Bundle bundle, identity::OpenBundle(signed_bundle, federation));
  std::vector<std::string> roots;
  for (const crypto::Certificate& root : bundle.RootsAt(absl::Now())) roots.push_back(ToHex(root.sha256));
  return roots;
}

// What the operator compares before anything is trusted.
absl::StatusOr<Output> ShowBundle(const std::string& bytes, const Trusting& trusting) {
  identity::v1::SignedTrustBundle bundle;
  RETURN_IF_ERROR(Decode(bytes, "trust bundle", bundle));
  ASSIGN_OR_RETURN(const std::vector<std::string> roots, RootsIn(bundle, trusting.federation));
  Output output;
  output.json = {{"federation", trusting.federation}, {"roots", roots}};
  output.Line(
      absl::StrCat("nothing is trusted yet. Roots that count in this bundle of ", trusting.federation, ":"));
  for (const std::string& root : roots) output.Line(absl::StrCat("  ", root));
  output.Line(
      "compare with what its registrar told you over another channel, then the same with --fingerprint");
  return output;
}

absl::StatusOr<Output> Trust(Context& context, const Trusting& trusting) {
  identity::v1::TrustFederationRequest request;
  if (!trusting.bundle_file.empty()) {
    ASSIGN_OR_RETURN(std::string bytes, ReadFile(trusting.bundle_file, kMaxBundleFile));
    if (trusting.fingerprint.empty()) return ShowBundle(bytes, trusting);
    request.set_bundle(std::move(bytes));
  }
  request.set_request_id(NewUuid(context.random));
  request.set_federation(trusting.federation);
  request.set_root_sha256(trusting.fingerprint);
  request.set_url(trusting.url);
  for (const std::string& host : trusting.did_hosts) request.add_did_hosts(host);
  if (trusting.did_hosts.empty()) request.add_did_hosts(trusting.federation);
  RETURN_IF_ERROR(AddRoles(trusting.roles, request));
  request.set_reason(trusting.reason);
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response,
                   session->Call<FederationTrustService>(
                       kRegistrar, &FederationTrustService::Stub::TrustFederation, request));
  Output output;
  output.json = {{"federation", trusting.federation}, {"version", response.version()}};
  output.Line(absl::StrCat("federation ", trusting.federation, " is trusted: version ", response.version()));
  output.Line("`tsunagi authority federations` shows whether its roster could be fetched");
  return output;
}

struct Revocation {
  std::string federation;
  std::string reason;
};

absl::StatusOr<Output> Revoke(Context& context, const Revocation& revocation) {
  identity::v1::RevokeFederationRequest request;
  request.set_request_id(NewUuid(context.random));
  request.set_federation(revocation.federation);
  request.set_reason(revocation.reason);
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response,
                   session->Call<FederationTrustService>(
                       kRegistrar, &FederationTrustService::Stub::RevokeFederation, request));
  Output output;
  output.json = {{"federation", revocation.federation}, {"version", response.version()}};
  output.Line(absl::StrCat("federation ", revocation.federation, " is trusted no more: version ",
                           response.version()));
  return output;
}

// The newest roster of a federation among those that came with the list.
std::string RosterText(const identity::v1::GetFederationTrustResponse& response,
                       const std::string& federation) {
  for (const identity::v1::SignedRoster& one : response.rosters()) {
    identity::v1::Roster roster;
    if (!roster.ParseFromString(one.roster().payload()) || roster.federation() != federation) continue;
    return absl::StrCat(roster.members_size(), " participants at ", DateOf(roster.issued_at()));
  }
  return "none yet";
}

absl::StatusOr<Output> List(Context& context) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response, session->Call<FederationTrustService>(
                                            kRegistrar, &FederationTrustService::Stub::GetFederationTrust,
                                            identity::v1::GetFederationTrustRequest()));
  identity::v1::FederationTrust trust;
  RETURN_IF_ERROR(Decode(response.trust().trust().payload(), "federation trust", trust));
  Output output;
  output.json = {{"version", trust.version()}, {"federations", Json::array()}};
  Table table{{"federation", "since", "until", "roles", "roster", "SHA-256 of its roots"}, {}};
  for (const TrustedFederation& one : trust.federations()) {
    ASSIGN_OR_RETURN(const std::vector<std::string> roots, RootsIn(one.bundle(), one.federation()));
    const std::string roles =
        absl::StrJoin(one.roles(), " ", [](std::string* out, const identity::v1::RoleMapping& role) {
          absl::StrAppend(out, role.theirs(), "=", role.ours());
        });
    const std::string until = one.has_until() ? DateOf(one.until()) : "";
    const std::string roster = one.has_until() ? "" : RosterText(response, one.federation());
    output.json["federations"].push_back(
        {{"federation", one.federation()},
         {"since", DateOf(one.since())},
         {"until", until},
         {"url", one.url()},
         {"did_hosts", std::vector<std::string>(one.did_hosts().begin(), one.did_hosts().end())},
         {"roles", roles},
         {"roster", roster},
         {"roots", roots}});
    table.rows.push_back(
        {one.federation(), DateOf(one.since()), until, roles, roster, absl::StrJoin(roots, " ")});
  }
  output.Line(absl::StrCat("trust in other federations, version ", trust.version(), "; times in UTC"));
  output.Add(std::move(table));
  return output;
}

void AddTrustCommand(CLI::App& authority, Command& command) {
  auto trusting = std::make_shared<Trusting>();
  CLI::App* trust = authority.add_subcommand(
      "trust-federation",
      "let participants of another federation in, or state anew how (registrar's operator)");
  trust->add_option("federation", trusting->federation, "its name, such as battery.example")->required();
  CLI::Option* const bundle = trust->add_option("--bundle", trusting->bundle_file,
                                                "file of its trust bundle; fetched from --url without it");
  CLI::Option* const fingerprint = trust->add_option("--fingerprint", trusting->fingerprint,
                                                     "SHA-256 of its root, as its registrar told you; with "
                                                     "--bundle alone nothing is trusted, and those of the "
                                                     "file are shown");
  trust->add_option("--url", trusting->url, "its registrar's HTTPS edge, https://host:port")->required();
  trust->add_option("--did-host", trusting->did_hosts, "host of its participants' DIDs; its name without it");
  trust->add_option("--role", trusting->roles,
                    "THEIRS=OURS: what a role of theirs is here; others are nothing");
  trust->add_option("--reason", trusting->reason, "why, for the record")->required();
  trust->callback([&command, trusting, bundle, fingerprint] {
    if (bundle->empty() && fingerprint->empty()) throw CLI::RequiredError("--fingerprint");
    command = [trusting](Context& context) { return Trust(context, *trusting); };
  });
}

}  // namespace

void AddFederationCommands(CLI::App& authority, Command& command) {
  authority.add_subcommand("federations", "the federations that are trusted, or were")->callback([&command] {
    command = List;
  });
  AddTrustCommand(authority, command);
  auto revocation = std::make_shared<Revocation>();
  CLI::App* revoke = authority.add_subcommand(
      "revoke-federation", "let nobody of another federation in any more (registrar's operator)");
  revoke->add_option("federation", revocation->federation, "its name")->required();
  revoke->add_option("--reason", revocation->reason, "why, for the record")->required();
  revoke->callback([&command, revocation] {
    command = [revocation](Context& context) { return Revoke(context, *revocation); };
  });
}

}  // namespace tsunagi::cli
