// Agreements at rest, as provider and as consumer, with a cache for releases.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "connector/negotiation/states.h"
#include "connector/policy/scope.h"
#include "core/audit/journal.h"
#include "core/base/mutex.h"
#include "tsunagi/connector/v1/connector_service.pb.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::connector {

// An agreement, ready for decisions. Immutable.
struct KnownAgreement {
  v1::Agreement agreement;
  common::v1::SignedEnvelope envelope;
  policy::Scope scope;
  absl::Time agreed_at;
  absl::Time expires;

  // Releases may run under it at `now`.
  bool RunsAt(absl::Time now) const {
    return agreement.state() == v1::AGREEMENT_STATE_FINALIZED && now < expires;
  }
};

// INVALID_ARGUMENT when a time or a target of the agreement is not valid.
absl::StatusOr<std::shared_ptr<const KnownAgreement>> Know(v1::Agreement agreement,
                                                           common::v1::SignedEnvelope envelope);

// Thread-safe.
class AgreementTable {
 public:
  // `journal` must outlive the table.
  explicit AgreementTable(audit::Journal& journal) : journal_(journal) {}

  static std::string Key(absl::string_view id);

  // NOT_FOUND when there is none.
  absl::StatusOr<std::shared_ptr<const KnownAgreement>> Find(absl::string_view id);

  // The agreement that this participant, as provider or as consumer, has with `peer` for (purpose, `asked`)
  // and that runs at `now`. NOT_FOUND when there is none.
  absl::StatusOr<std::shared_ptr<const KnownAgreement>> FindExactly(Side own_side, absl::string_view peer,
                                                                    absl::string_view purpose,
                                                                    policy::SectionMask asked,
                                                                    absl::Time now);
  // The agreement that this participant, as provider, last gave to `consumer` when asked for (purpose,
  // `asked`), if it runs at `now`: the one that the consumer uses again. NOT_FOUND when there is none.
  absl::StatusOr<std::shared_ptr<const KnownAgreement>> FindGiven(absl::string_view consumer,
                                                                  absl::string_view purpose,
                                                                  policy::SectionMask asked, absl::Time now);
  // What remembers the agreement for FindGiven.
  static store::Write RememberGiven(const KnownAgreement& known, policy::SectionMask asked);

  // Adds what stores the agreement under its id and as the one for (own side, peer, purpose, `asked`). The
  // entry of the cache changes with the commit, which must have a record.
  void StoreIn(audit::Commit& commit, Side own_side, std::shared_ptr<const KnownAgreement> known,
               policy::SectionMask asked);
  // The key to read before StoreIn, so that two at once do not both make one.
  static std::string PairKey(Side own_side, absl::string_view peer, absl::string_view purpose,
                             policy::SectionMask asked);

  // In order of id.
  absl::StatusOr<v1::ListAgreementsResponse> List(const v1::ListAgreementsRequest& request) const;

 private:
  absl::StatusOr<std::shared_ptr<const KnownAgreement>> Load(absl::string_view id) const;
  absl::StatusOr<std::shared_ptr<const KnownAgreement>> FindBy(const std::string& key, absl::Time now);

  audit::Journal& journal_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<const KnownAgreement>> cache_ ABSL_GUARDED_BY(mutex_);
  uint64_t replaced_ ABSL_GUARDED_BY(mutex_) = 0;  // rises with each entry that a commit replaces
};

}  // namespace tsunagi::connector
