// The consumer's side of an agreement: asked for once, checked, kept and used again.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "connector/negotiation/agreement_table.h"
#include "connector/own_node.h"
#include "connector/ports.h"
#include "core/audit/journal.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "identity/trust.h"

namespace tsunagi::connector {

// What the agreement is to be about.
struct Wish {
  policy::SectionMask sections = 0;
  std::string purpose;
  common::v1::Subject subject;
};

// Thread-safe. Blocks: only on the worker pool.
class ObtainedAgreements {
 public:
  // All arguments must outlive the object.
  ObtainedAgreements(const OwnNode& own, AgreementTable& table, Federation& federation,
                     audit::Journal& journal, const Clock& clock, Random& random)
      : own_(own),
        table_(table),
        federation_(federation),
        journal_(journal),
        clock_(clock),
        random_(random) {}

  // The running agreement with `provider` for the wish; asks for one when there is none, or when `anew`: the
  // provider may permit more by now. Errors are the provider's, or DATA_LOSS when what it signed is not what
  // was asked for.
  absl::StatusOr<std::shared_ptr<const KnownAgreement>> Obtain(const identity::Party& provider,
                                                               const Wish& wish, bool anew);

 private:
  absl::StatusOr<std::shared_ptr<const KnownAgreement>> Open(const identity::Party& provider,
                                                             const Wish& wish,
                                                             common::v1::SignedEnvelope envelope) const;
  absl::Status Keep(std::shared_ptr<const KnownAgreement> known, const Wish& wish);

  const OwnNode& own_;
  AgreementTable& table_;
  Federation& federation_;
  audit::Journal& journal_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace tsunagi::connector
