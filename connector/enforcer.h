// Decides whether a request for sovereign data may proceed: agreement AND today's policy.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "connector/grant/grant.h"
#include "connector/negotiation/agreement_table.h"
#include "connector/own_node.h"
#include "connector/policy/policy.h"
#include "connector/policy_store.h"
#include "core/base/caller.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "tsunagi/connector/v1/connector_service.pb.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::connector {

// The sections that give the right to ask by vehicle.
inline constexpr policy::SectionMask kVehicleRights =
    policy::BitOf(common::v1::SECTION_VEHICLE) | policy::BitOf(common::v1::SECTION_LOOKUP);

inline constexpr size_t kMaxOnVehicle = 16;

// Who the decision is about: the caller; in a preview the party that the owner asks about.
struct Asker {
  std::string did;
  std::vector<std::string> roles;
  // Who reads under the Grant.
  std::string caller;
  std::string certificate_sha256;

  static Asker Of(const Caller& caller) {
    return {caller.did(), caller.roles(), caller.did(), caller.certificate_sha256()};
  }
};

// What is asked for, of whatever subject.
struct Use {
  Asker asker;
  std::string agreement;  // id
  policy::SectionMask sections = 0;
  std::string purpose;
  std::string request_digest;
  // A preview without an agreement: decided under the one that the party would get.
  std::shared_ptr<const KnownAgreement> assumed;
};

// Permission to read, with what the answer must say beside the data.
struct Authorization {
  grant::Grant grant;
  std::shared_ptr<const policy::CompiledPolicies> policies;
  policy::Decision decision;
  std::shared_ptr<const KnownAgreement> agreement;  // null for the owner
  policy::PartMask agreed = 0;  // what the agreement covers of the battery, with kLookupBit
  policy::SectionMask asked = 0;
  // The subject is a vehicle, and the answer may say which battery it has; counted when a daily count
  // applies.
  bool lookup = false;
  uint32_t daily_lookups = 0;  // 0: not counted
  // Of the same vehicle, and the answer may name them.
  std::vector<common::v1::BatteryId> other_batteries = {};

  policy::PartMask part_mask() const { return grant.claims().part_mask(); }
  // Why a section that was asked for is left out, wholly or in part, given the kinds of parts that are there;
  // empty when it is not.
  absl::string_view ReasonFor(policy::Section section, policy::PartMask open) const;
  // Duties of agreement and policies for what is handed over, sorted, each once.
  std::vector<std::string> Obligations(policy::PartMask open) const;
};

// A refusal. `status` is what the caller is told; reasons are for the leaf, and for the owner's preview.
struct Denial {
  absl::Status status;
  bool named = false;  // some rule is about the party: the denial gets a leaf of its own
  std::vector<std::string> reasons;
};

using Verdict = std::variant<Authorization, Denial>;

// The only builder of Grants besides the Unsealer. Thread-safe.
//
// Evaluation errors deny. What a caller is told:
//   NOT_FOUND            always the same: policy permits it no section of the identifier, or the agreement is
//   not its own FAILED_PRECONDITION  its agreement has ended, or is for another purpose PERMISSION_DENIED it
//   may see some section, but none of those asked for (with reasons)
class Enforcer {
 public:
  // All arguments must outlive the enforcer.
  Enforcer(const OwnNode& own, const PolicyStore& policies, AgreementTable& agreements, const Clock& clock,
           Random& random)
      : own_(own), policies_(policies), agreements_(agreements), clock_(clock), random_(random) {}

  // Parts of one battery.
  Verdict Authorize(const Use& use, const common::v1::BatteryId& battery);

  // Parts of the first of the batteries that a vehicle was found to have, of those that may be looked up; the
  // bare answer counts as well. Only the first kMaxOnVehicle are looked at. `chosen` is its place.
  Verdict AuthorizeFound(const Use& use, absl::Span<const common::v1::BatteryId> batteries, size_t& chosen);

  // Which battery a vehicle has, and no part. What is found is decided on anew by AuthorizeFound. Counted
  // unless policy and agreement open `vehicle` of every battery.
  Verdict AuthorizeLookup(const Use& use, const common::v1::Subject& vehicle);

  // One Grant for those of `batteries` that may be released under the same rules as the first that may be
  // released at all: their places are added to `chosen`, the places of those that may not to `denied`. A
  // Denial whose status is OK means that these may not be released, but others may.
  Verdict AuthorizeChunk(const Use& use, absl::Span<const common::v1::BatteryId> batteries,
                         std::vector<size_t>& chosen, std::vector<size_t>& denied);

 private:
  struct Finding;

  policy::Facts FactsOf(const Use& use, absl::optional<absl::string_view> serial) const;
  Finding Examine(const Use& use, absl::optional<absl::string_view> serial);
  std::shared_ptr<const KnownAgreement> OwnAgreement(const Use& use);
  absl::Status CheckTerms(const Use& use, const KnownAgreement& agreement) const;
  Denial Refuse(const Use& use, const Finding& finding, policy::SectionMask sections, bool sees) const;
  Verdict AuthorizeOne(const Use& use, const common::v1::BatteryId& battery, bool by_vehicle);
  Denial RefuseLookup(const Use& use, const Finding& finding) const;
  Authorization Allow(const Use& use, Finding finding, policy::PartMask parts,
                      absl::Span<const common::v1::Subject> subjects);

  const OwnNode& own_;
  const PolicyStore& policies_;
  AgreementTable& agreements_;
  const Clock& clock_;
  Random& random_;
};

// The content of one battery, ready to be sent.
struct Content {
  common::v1::BatteryId battery;
  std::string bytes;  // serialised ReleasedContent
  policy::PartMask open = 0;
  std::vector<std::string> obligations;
};

// Content of what was read under the authorization's Grant; nothing when no part is open (and the bare answer
// to a look-up by vehicle is not what was asked for): the battery is then as good as missing. INTERNAL when a
// part is open that the Grant does not open.
absl::StatusOr<absl::optional<Content>> BuildContent(const Authorization& authorization,
                                                     passport::v1::ReadParts read);

}  // namespace tsunagi::connector
