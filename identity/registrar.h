// The registrar (登録機関): what IdentityService, MembershipService and EST offer, on one journal.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "identity/access_tokens.h"
#include "identity/amendments.h"
#include "identity/anchors.h"
#include "identity/context.h"
#include "identity/cosigning.h"
#include "identity/credentials.h"
#include "identity/enrolment.h"
#include "identity/federation_acts.h"
#include "identity/mandate_registry.h"
#include "identity/membership.h"
#include "identity/participant_keys.h"
#include "identity/signed_lists.h"
#include "identity/trust.h"

namespace tsunagi::identity {

// Lists of this registrar that members hold and its store has not (ADR 0017); empty ones are none.
struct HeldLists {
  v1::SignedTrustBundle bundle = {};
  v1::SignedDirectory directory = {};
  v1::SignedStatusList status_list = {};
};

// Every act is one leaf, durable before it is acknowledged. Thread-safe. The registrar must outlive every
// act.
class Registrar {
 public:
  // Takes the registrar up on a journal whose origin is LogOrigin("registrar", "registrar", federation) and
  // whose log key is the authority's: lists itself as participant `registrar` at the first start and signs
  // both lists. Blocks.
  // On a journal that refuses writes nothing is signed: the own view has what the store has, or `held` where
  // that is newer.
  static absl::StatusOr<std::unique_ptr<Registrar>> Open(RegistrarContext context,
                                                         const HeldLists& held = {});

  Membership& membership() { return membership_; }
  ParticipantKeys& keys() { return keys_; }
  Enrolment& enrolment() { return enrolment_; }
  AccessTokens& tokens() { return tokens_; }
  Credentials& credentials() { return credentials_; }
  SignedLists& lists() { return lists_; }
  Cosigning& cosigning() { return cosigning_; }
  Amendments& amendments() { return amendments_; }
  MandateRegistry& mandates() { return mandates_; }
  Anchors& anchors() { return anchors_; }
  FederationActs& federations() { return federations_; }
  // Takes the roster of a federation that is trusted over. Errors are those of TrustStore.
  absl::Status TakeRoster(const v1::SignedRoster& roster) { return trust_.AcceptRoster(roster); }
  const RegistrarContext& context() const { return context_; }

  // The registrar's own view of the federation, fed by its own lists.
  const TrustStore& trust() const { return trust_; }
  // Lists `address` (`host:port`) as where the registrar's process listens. Blocks.
  absl::Status Announce(const std::string& address);

  // Signs a fresh status list when the last one is old: the registrar's own guard needs one too. Blocks.
  absl::Status Refresh();

  // Writes an invitation for the registrar's operator to `path` (mode 0600) unless the file is there. Blocks.
  absl::Status WriteOperatorInvitation(const std::string& path);

 private:
  explicit Registrar(RegistrarContext context);
  absl::Status OpenClosed(const HeldLists& held);
  // An empty address leaves the listed one.
  absl::Status ListItself(const std::string& address);
  absl::StatusOr<Decision<v1::Participant>> DecideItself(const std::string& address) const;

  const RegistrarContext context_;
  TrustStore trust_;
  SignedLists lists_;
  Membership membership_;
  ParticipantKeys keys_;
  Enrolment enrolment_;
  AccessTokens tokens_;
  Credentials credentials_;
  Cosigning cosigning_;
  Amendments amendments_;
  MandateRegistry mandates_;
  Anchors anchors_;
  FederationActs federations_;
};

}  // namespace tsunagi::identity
