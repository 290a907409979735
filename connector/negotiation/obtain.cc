#include "connector/negotiation/obtain.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "connector/negotiation/agreements.h"
#include "connector/records.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/crypto/envelope.h"

namespace tsunagi::connector {
namespace {

// `<label>-<26 characters>`: an id of another participant would overwrite that one's agreement.
bool IsIdOf(absl::string_view id, absl::string_view label) {
  return id.size() == label.size() + 27 && absl::StartsWith(id, label) && id[label.size()] == '-' &&
         std::all_of(id.end() - 26, id.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'); });
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KnownAgreement>> ObtainedAgreements::Obtain(
    const identity::Party& provider, const Wish& wish, bool anew) {
  const std::string& did = provider.participant.did();
  if (!anew) {
    auto known = table_.FindExactly(Side::kConsumer, did, wish.purpose, wish.sections, clock_.Now());
    if (known.ok() || !absl::IsNotFound(known.status())) return known;
  }
  v1::RequestAgreementRequest request;
  request.set_request_id(NewUuid(random_));
  for (const policy::Section section : policy::SectionsIn(wish.sections)) request.add_sections(section);
  request.set_purpose(wish.purpose);
  *request.mutable_subject() = wish.subject;
  ASSIGN_OR_RETURN(v1::RequestAgreementResponse response, federation_.RequestAgreement(did, request));
  auto known = Open(provider, wish, std::move(*response.mutable_agreement()));
  if (!known.ok())
    return absl::DataLossError(absl::StrCat("the agreement does not verify: ", known.status().message()));
  RETURN_IF_ERROR(Keep(*known, wish));
  return known;
}

absl::StatusOr<std::shared_ptr<const KnownAgreement>> ObtainedAgreements::Open(
    const identity::Party& provider, const Wish& wish, common::v1::SignedEnvelope envelope) const {
  const absl::Time now = clock_.Now();
  ASSIGN_OR_RETURN(const crypto::PublicKey key,
                   provider.FindKey(envelope.key_id(), identity::v1::KEY_PURPOSE_SIGNING));
  RETURN_IF_ERROR(provider.KeyCountsAt(envelope.key_id(), now));
  RETURN_IF_ERROR(crypto::Verify(envelope, kAgreementPayload, key));
  v1::Agreement agreement;
  RETURN_IF_ERROR(DecodeCanonical(envelope.payload(), "agreement", agreement));
  const std::string id = agreement.id();
  const bool fits = IsIdOf(id, provider.participant.label()) &&
                    agreement.provider() == provider.participant.did() && agreement.consumer() == own_.did &&
                    agreement.purpose() == wish.purpose;
  if (!fits) return absl::DataLossError("the agreement is not between these two for this purpose");
  ASSIGN_OR_RETURN(std::shared_ptr<const KnownAgreement> known,
                   Know(std::move(agreement), std::move(envelope)));
  if ((known->scope.For(absl::nullopt) & ~policy::PermitsOf(wish.sections)) != 0) {
    return absl::DataLossError(absl::StrCat("agreement `", id, "` covers parts that were not asked for"));
  }
  if (!known->RunsAt(now)) return absl::DataLossError(absl::StrCat("agreement `", id, "` does not run"));
  return known;
}

absl::Status ObtainedAgreements::Keep(std::shared_ptr<const KnownAgreement> known, const Wish& wish) {
  audit::v1::Record record = RecordAt(clock_.Now());
  record.mutable_agreement()->set_agreement(known->agreement.id());
  record.mutable_agreement()->set_state("FINALIZED");
  record.mutable_agreement()->set_digest(crypto::Sha256(known->envelope.payload()));
  audit::Commit commit;
  commit.version = journal_.Version();
  commit.record = Encode(record);
  table_.StoreIn(commit, Side::kConsumer, std::move(known), wish.sections);
  return journal_.SubmitAndWait(std::move(commit)).status();
}

}  // namespace tsunagi::connector
