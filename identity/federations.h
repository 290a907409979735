// The federations that this one trusts, as its registrar signed them, and their rosters (加盟者名簿). Values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/crypto/key.h"
#include "identity/bundle.h"
#include "identity/list_signer.h"
#include "tsunagi/identity/v1/federation_trust.pb.h"

namespace tsunagi::identity {

inline constexpr absl::string_view kFederationTrustPayload = "tsunagi/federation-trust/v1";
inline constexpr absl::string_view kRosterPayload = "tsunagi/roster/v1";

// Federations that are trusted at a time, and that a list may name, revoked ones too.
inline constexpr int kMaxTrusted = 8;
inline constexpr int kMaxFederations = 64;

// Who may act for another federation, as its registrar says. Immutable.
struct Roster {
  struct Member {
    std::string did;
    std::vector<std::string> roles;  // theirs
  };
  struct TokenKey {
    crypto::PublicKey key;
    absl::Time from;
    absl::Time until;
  };

  uint64_t version = 0;
  absl::Time issued_at = absl::InfinitePast();
  ListSigner signer;
  absl::flat_hash_map<std::string, Member> by_label;
  absl::flat_hash_set<std::string> dids;
  absl::flat_hash_map<std::string, TokenKey> token_keys;  // by key id
  v1::SignedRoster signed_roster;
};

// Another federation as it is trusted. Immutable.
struct TrustedFederation {
  v1::TrustedFederation record;
  std::shared_ptr<const Bundle> bundle;
  uint64_t trust_version = 0;            // of the list that says so
  std::shared_ptr<const Roster> roster;  // null while none is known

  const std::string& name() const { return record.federation(); }
  bool revoked() const { return record.has_until(); }
  // The DID lies under one of its hosts.
  bool Hosts(absl::string_view did) const;
  // Its roles as mapped, each once, in the order of the mappings.
  std::vector<std::string> RolesHere(const std::vector<std::string>& theirs) const;
};

// All of them, revoked ones too. Immutable.
struct Federations {
  uint64_t version = 0;  // 0: none was ever trusted, or nothing is known
  ListSigner signer;
  absl::flat_hash_map<std::string, std::shared_ptr<const TrustedFederation>> by_name;
  std::shared_ptr<const v1::SignedFederationTrust> signed_trust;

  // The federation under whose hosts the DID lies; null when there is none.
  const TrustedFederation* HostOf(absl::string_view did) const;
};

// The form of one record of `own_federation`'s list: another federation's name; 1 to 16 hosts; at most 64
// mappings, none of a role that decides over others; an https URL; a bundle of that federation.
// INVALID_ARGUMENT naming the first mistake; the bundle otherwise.
absl::StatusOr<Bundle> CheckTrusted(const v1::TrustedFederation& record, absl::string_view own_federation);

// OK when no host of `record` is one of `other`'s. INVALID_ARGUMENT otherwise.
absl::Status CheckHostsApart(const v1::TrustedFederation& record, const v1::TrustedFederation& other);

// Verifies the list that the own registrar signed: one certificate for its directory key that a root of
// `own` issued which counts at `at`; the form of each record; no federation and no host twice. Rosters are
// left out.
absl::StatusOr<Federations> OpenFederationTrust(const v1::SignedFederationTrust& signed_trust,
                                                absl::string_view own_federation, const Bundle& own,
                                                absl::Time at);

// Verifies a roster of `federation` by its bundle: at most 1 MiB, its directory key, not from the future, no
// label or DID twice. Members that are no participants of it here (the registrar, DIDs elsewhere) are left
// out.
absl::StatusOr<Roster> OpenRoster(const v1::SignedRoster& signed_roster, const TrustedFederation& federation,
                                  absl::Time at);

}  // namespace tsunagi::identity
