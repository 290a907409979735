#include "identity/federations.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/checks.h"
#include "identity/names.h"

namespace tsunagi::identity {
namespace {

constexpr int kMaxHosts = 16;
constexpr int kMaxMappings = 64;
constexpr size_t kMaxRosterBytes = 1 << 20;
constexpr int kMaxTokenKeys = 64;
// Roles by which this federation's registrar lets somebody decide, judge or act for others. Whoever of
// another federation is to see as much gets a role of its own, which policies then name.
constexpr std::array<absl::string_view, 4> kNeverMapped = {kRegistrarRole, "authority", "verifier",
                                                           "gateway"};

absl::Status Repeated(absl::string_view field, absl::string_view value) {
  return InvalidArgument({"REPEATED", field, value, "each value once"});
}

absl::Status CheckHosts(const v1::TrustedFederation& record) {
  if (record.did_hosts().empty() || record.did_hosts_size() > kMaxHosts) {
    return InvalidArgument({"DID_HOSTS_COUNT", "did_hosts", absl::StrCat(record.did_hosts_size(), " hosts"),
                            absl::StrCat("1 to ", kMaxHosts)});
  }
  std::set<absl::string_view> seen;
  for (const std::string& host : record.did_hosts()) {
    // A DID has one spelling, so the host alone must make one.
    if (absl::StrContains(host, ':') || !Did::Parse(absl::StrCat("did:web:", host)).ok()) {
      return InvalidArgument(
          {"DID_HOST_INVALID", "did_hosts", host, "a DNS name in lower case such as battery.example"});
    }
    if (!seen.insert(host).second) return Repeated("did_hosts", host);
  }
  return absl::OkStatus();
}

absl::Status CheckMappings(const v1::TrustedFederation& record) {
  if (record.roles_size() > kMaxMappings) {
    return InvalidArgument({"TOO_MANY", "roles", absl::StrCat(record.roles_size(), " mappings"),
                            absl::StrCat("at most ", kMaxMappings)});
  }
  std::set<std::pair<absl::string_view, absl::string_view>> seen;
  for (const v1::RoleMapping& mapping : record.roles()) {
    RETURN_IF_ERROR(CheckRole("roles.theirs", mapping.theirs()));
    RETURN_IF_ERROR(CheckRole("roles.ours", mapping.ours()));
    if (std::find(kNeverMapped.begin(), kNeverMapped.end(), mapping.ours()) != kNeverMapped.end()) {
      return InvalidArgument({"ROLE_NEVER_MAPPED", "roles.ours", mapping.ours(),
                              "a role of its own: nobody of another federation is registrar, authority, "
                              "verifier or gateway here"});
    }
    if (!seen.emplace(mapping.theirs(), mapping.ours()).second) {
      return Repeated("roles", absl::StrCat(mapping.theirs(), "=", mapping.ours()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckUrl(const std::string& url) {
  absl::string_view address = url;
  if (absl::ConsumePrefix(&address, "https://") && CheckAddress(address).ok()) return absl::OkStatus();
  return InvalidArgument({"URL_INVALID", "url", url, "https://host:port"});
}

absl::Status CheckTimes(const v1::TrustedFederation& record) {
  RETURN_IF_ERROR(FromProto(record.since()).status());
  return record.has_until() ? FromProto(record.until()).status() : absl::OkStatus();
}

absl::Status AddTrusted(const v1::TrustedFederation& record, absl::string_view own_federation,
                        Federations& federations) {
  ASSIGN_OR_RETURN(Bundle bundle, CheckTrusted(record, own_federation));
  RETURN_IF_ERROR(CheckTimes(record));
  for (const auto& [name, other] : federations.by_name) {
    RETURN_IF_ERROR(CheckHostsApart(record, other->record));
  }
  auto trusted = std::make_shared<TrustedFederation>();
  trusted->record = record;
  trusted->bundle = std::make_shared<const Bundle>(std::move(bundle));
  trusted->trust_version = federations.version;
  if (!federations.by_name.emplace(record.federation(), std::move(trusted)).second) {
    return Repeated("federation", record.federation());
  }
  return absl::OkStatus();
}

absl::Status AddTokenKey(const v1::ParticipantKey& listed, Roster& roster) {
  ASSIGN_OR_RETURN(const crypto::PublicKey key, crypto::PublicKey::FromDer(listed.public_key()));
  if (key.id() != listed.key_id() || key.algorithm() != common::v1::SIGNATURE_ALGORITHM_ES256 ||
      listed.algorithm() != key.algorithm() || listed.purpose() != v1::KEY_PURPOSE_SIGNING) {
    return absl::InvalidArgumentError(absl::StrCat("key `", listed.key_id(), "` is no ES256 key of its id"));
  }
  ASSIGN_OR_RETURN(const absl::Time from, FromProto(listed.valid_from()));
  absl::Time until = absl::InfiniteFuture();
  if (listed.has_valid_until()) {
    ASSIGN_OR_RETURN(until, FromProto(listed.valid_until()));
  }
  if (!roster.token_keys.emplace(listed.key_id(), Roster::TokenKey{key, from, until}).second) {
    return absl::InvalidArgumentError(absl::StrCat("key `", listed.key_id(), "` is listed twice"));
  }
  return absl::OkStatus();
}

absl::Status AddMember(const v1::RosterMember& listed, const TrustedFederation& federation, Roster& roster) {
  RETURN_IF_ERROR(Label::Parse(listed.label()).status());
  RETURN_IF_ERROR(Did::Parse(listed.did()).status());
  if (listed.label() == kRegistrarLabel || !federation.Hosts(listed.did())) return absl::OkStatus();
  Roster::Member member = {listed.did(), {listed.roles().begin(), listed.roles().end()}};
  if (!roster.by_label.emplace(listed.label(), std::move(member)).second ||
      !roster.dids.insert(listed.did()).second) {
    return absl::InvalidArgumentError(absl::StrCat("participant `", listed.label(), "` is listed twice"));
  }
  return absl::OkStatus();
}

}  // namespace

bool TrustedFederation::Hosts(absl::string_view did) const {
  return std::any_of(record.did_hosts().begin(), record.did_hosts().end(), [&](const std::string& host) {
    absl::string_view rest = did;
    return absl::ConsumePrefix(&rest, "did:web:") && absl::ConsumePrefix(&rest, host) &&
           (rest.empty() || rest.front() == ':');
  });
}

std::vector<std::string> TrustedFederation::RolesHere(const std::vector<std::string>& theirs) const {
  std::vector<std::string> ours;
  for (const v1::RoleMapping& mapping : record.roles()) {
    const bool held = std::find(theirs.begin(), theirs.end(), mapping.theirs()) != theirs.end();
    const bool known = std::find(ours.begin(), ours.end(), mapping.ours()) != ours.end();
    if (held && !known) ours.push_back(mapping.ours());
  }
  return ours;
}

const TrustedFederation* Federations::HostOf(absl::string_view did) const {
  for (const auto& [name, federation] : by_name) {
    if (federation->Hosts(did)) return federation.get();
  }
  return nullptr;
}

absl::StatusOr<Bundle> CheckTrusted(const v1::TrustedFederation& record, absl::string_view own_federation) {
  RETURN_IF_ERROR(CheckFederation(record.federation()));
  if (record.federation() == own_federation) {
    return InvalidArgument({"FEDERATION_OWN", "federation", record.federation(), "another federation"});
  }
  RETURN_IF_ERROR(CheckHosts(record));
  RETURN_IF_ERROR(CheckMappings(record));
  RETURN_IF_ERROR(CheckUrl(record.url()));
  return OpenBundle(record.bundle(), record.federation());
}

absl::Status CheckHostsApart(const v1::TrustedFederation& record, const v1::TrustedFederation& other) {
  for (const std::string& host : record.did_hosts()) {
    if (std::find(other.did_hosts().begin(), other.did_hosts().end(), host) == other.did_hosts().end()) {
      continue;
    }
    return InvalidArgument(
        {"DID_HOST_TAKEN", "did_hosts", host,
         absl::StrCat("a host of this federation alone: it is one of `", other.federation(), "`")});
  }
  return absl::OkStatus();
}

absl::StatusOr<Federations> OpenFederationTrust(const v1::SignedFederationTrust& signed_trust,
                                                absl::string_view own_federation, const Bundle& own,
                                                absl::Time at) {
  ASSIGN_OR_RETURN(const CheckedSigner signer,
                   CheckSigner(signed_trust.chain(), DirectoryUri(own_federation), signed_trust.trust(),
                               kFederationTrustPayload, own, at));
  v1::FederationTrust list;
  RETURN_IF_ERROR(OpenList(signed_trust.trust(), own_federation, list));
  if (list.federations_size() > kMaxFederations) {
    return absl::InvalidArgumentError(absl::StrCat("names more than ", kMaxFederations, " federations"));
  }
  Federations federations;
  federations.version = list.version();
  federations.signer = signer.signer;
  for (const v1::TrustedFederation& record : list.federations()) {
    RETURN_IF_ERROR(AddTrusted(record, own_federation, federations));
  }
  federations.signed_trust = std::make_shared<const v1::SignedFederationTrust>(signed_trust);
  return federations;
}

absl::StatusOr<Roster> OpenRoster(const v1::SignedRoster& signed_roster, const TrustedFederation& federation,
                                  absl::Time at) {
  if (signed_roster.roster().payload().size() > kMaxRosterBytes) {
    return absl::InvalidArgumentError("larger than 1 MiB");
  }
  ASSIGN_OR_RETURN(const CheckedSigner signer,
                   CheckSigner(signed_roster.chain(), DirectoryUri(federation.name()), signed_roster.roster(),
                               kRosterPayload, *federation.bundle, at));
  v1::Roster list;
  RETURN_IF_ERROR(OpenList(signed_roster.roster(), federation.name(), list));
  Roster roster;
  roster.version = list.version();
  roster.signer = signer.signer;
  ASSIGN_OR_RETURN(roster.issued_at, FromProto(list.issued_at()));
  if (roster.issued_at > at + kClockSkew) {
    return absl::InvalidArgumentError(absl::StrCat(
        "is issued in the future, at ", absl::FormatTime(roster.issued_at), ": check this machine's clock"));
  }
  if (list.token_keys_size() > kMaxTokenKeys) {
    return absl::InvalidArgumentError(absl::StrCat("lists more than ", kMaxTokenKeys, " token keys"));
  }
  for (const v1::ParticipantKey& key : list.token_keys()) RETURN_IF_ERROR(AddTokenKey(key, roster));
  for (const v1::RosterMember& member : list.members())
    RETURN_IF_ERROR(AddMember(member, federation, roster));
  roster.signed_roster = signed_roster;
  return roster;
}

}  // namespace tsunagi::identity
