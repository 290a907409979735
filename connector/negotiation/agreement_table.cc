#include "connector/negotiation/agreement_table.h"

#include <algorithm>
#include <utility>

#include "connector/records.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/store/key.h"

namespace tsunagi::connector {
namespace {

constexpr size_t kMaxCached = 10'000;
constexpr int32_t kDefaultPage = 100;
constexpr int32_t kMaxPage = 1'000;
constexpr absl::string_view kAgreement = "agreement";
constexpr absl::string_view kPair = "agreement-of";
constexpr absl::string_view kGiven = "agreement-given";

std::string GivenKey(absl::string_view consumer, absl::string_view purpose, policy::SectionMask asked) {
  return store::Key(kGiven).Str(consumer).Str(purpose).U64(asked).bytes();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KnownAgreement>> Know(v1::Agreement agreement,
                                                           common::v1::SignedEnvelope envelope) {
  auto known = std::make_shared<KnownAgreement>();
  ASSIGN_OR_RETURN(known->scope, policy::ScopeOf(agreement));
  ASSIGN_OR_RETURN(known->agreed_at, FromProto(agreement.agreed_at()));
  ASSIGN_OR_RETURN(known->expires, FromProto(agreement.expire_time()));
  known->agreement = std::move(agreement);
  known->envelope = std::move(envelope);
  return known;
}

std::string AgreementTable::Key(absl::string_view id) { return store::Key(kAgreement).Str(id).bytes(); }

std::string AgreementTable::PairKey(Side own_side, absl::string_view peer, absl::string_view purpose,
                                    policy::SectionMask asked) {
  const absl::string_view side = own_side == Side::kProvider ? "provider" : "consumer";
  return store::Key(kPair).Str(side).Str(peer).Str(purpose).U64(asked).bytes();
}

absl::StatusOr<std::shared_ptr<const KnownAgreement>> AgreementTable::Find(absl::string_view id) {
  uint64_t replaced = 0;
  {
    MutexLock lock(mutex_);
    if (const auto it = cache_.find(id); it != cache_.end()) return it->second;
    replaced = replaced_;
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const KnownAgreement> known, Load(id));
  MutexLock lock(mutex_);
  // What was read may be older than what a commit replaced meanwhile.
  if (replaced != replaced_) return known;
  if (cache_.size() >= kMaxCached) cache_.clear();
  cache_.emplace(known->agreement.id(), known);
  return known;
}

absl::StatusOr<std::shared_ptr<const KnownAgreement>> AgreementTable::Load(absl::string_view id) const {
  ASSIGN_OR_RETURN(const std::string bytes, journal_.store().Get(store::Table::kState, Key(id)));
  internal::v1::StoredAgreement stored;
  RETURN_IF_ERROR(Decode(bytes, "stored agreement", stored));
  return Know(std::move(*stored.mutable_agreement()), std::move(*stored.mutable_signed_agreement()));
}

absl::StatusOr<std::shared_ptr<const KnownAgreement>> AgreementTable::FindBy(const std::string& key,
                                                                             absl::Time now) {
  ASSIGN_OR_RETURN(const std::string id, journal_.store().Get(store::Table::kState, key));
  ASSIGN_OR_RETURN(std::shared_ptr<const KnownAgreement> known, Find(id));
  if (!known->RunsAt(now)) return absl::NotFoundError("the agreement does not run any more");
  return known;
}

absl::StatusOr<std::shared_ptr<const KnownAgreement>> AgreementTable::FindExactly(Side own_side,
                                                                                  absl::string_view peer,
                                                                                  absl::string_view purpose,
                                                                                  policy::SectionMask asked,
                                                                                  absl::Time now) {
  return FindBy(PairKey(own_side, peer, purpose, asked), now);
}

absl::StatusOr<std::shared_ptr<const KnownAgreement>> AgreementTable::FindGiven(absl::string_view consumer,
                                                                                absl::string_view purpose,
                                                                                policy::SectionMask asked,
                                                                                absl::Time now) {
  return FindBy(GivenKey(consumer, purpose, asked), now);
}

store::Write AgreementTable::RememberGiven(const KnownAgreement& known, policy::SectionMask asked) {
  return store::Put(store::Table::kState,
                    GivenKey(known.agreement.consumer(), known.agreement.purpose(), asked),
                    known.agreement.id());
}

void AgreementTable::StoreIn(audit::Commit& commit, Side own_side,
                             std::shared_ptr<const KnownAgreement> known, policy::SectionMask asked) {
  const v1::Agreement& agreement = known->agreement;
  internal::v1::StoredAgreement stored;
  *stored.mutable_agreement() = agreement;
  *stored.mutable_signed_agreement() = known->envelope;
  const std::string& peer = own_side == Side::kProvider ? agreement.consumer() : agreement.provider();
  commit.writes.push_back(store::Put(store::Table::kState, Key(agreement.id()), Encode(stored)));
  commit.writes.push_back(
      store::Put(store::Table::kState, PairKey(own_side, peer, agreement.purpose(), asked), agreement.id()));
  commit.on_index = [this, known = std::move(known)](uint64_t, std::vector<store::Write>&) {
    MutexLock lock(mutex_);
    ++replaced_;
    if (cache_.size() >= kMaxCached) cache_.clear();
    cache_.insert_or_assign(known->agreement.id(), known);
  };
}

absl::StatusOr<v1::ListAgreementsResponse> AgreementTable::List(
    const v1::ListAgreementsRequest& request) const {
  if (request.page_size() < 0) {
    return InvalidArgument(
        {"PAGE_SIZE_WRONG", "page_size", std::to_string(request.page_size()), "0 to 1,000"});
  }
  const int32_t limit = request.page_size() == 0 ? kDefaultPage : std::min(request.page_size(), kMaxPage);
  v1::ListAgreementsResponse response;
  absl::Status status;
  const std::string start = request.page_token().empty() ? "" : Key(request.page_token());
  RETURN_IF_ERROR(journal_.store().Scan(store::Table::kState, store::Key(kAgreement).bytes(), start,
                                        [&](absl::string_view key, absl::string_view value) {
                                          if (key == start) return true;  // the last one of the previous page
                                          if (response.agreements_size() == limit) {
                                            response.set_next_page_token(response.agreements(limit - 1).id());
                                            return false;
                                          }
                                          internal::v1::StoredAgreement stored;
                                          status = Decode(value, "stored agreement", stored);
                                          if (status.ok())
                                            *response.add_agreements() =
                                                std::move(*stored.mutable_agreement());
                                          return status.ok();
                                        }));
  RETURN_IF_ERROR(status);
  return response;
}

}  // namespace tsunagi::connector
