#include "passport/model/verify.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audit/merkle.h"
#include "core/audit/receipt.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/envelope.h"
#include "passport/model/digests.h"
#include "passport/model/parts.h"
#include "passport/model/slots.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::passport {
namespace {

// Keeps the fold's time bounded: a battery of 15 years with a measurement each day has half as many.
constexpr int kMaxEvents = 10'000;

absl::Status Wrong(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the evidence is wrong: ", what));
}

absl::Status CheckStatement(const v1::BatchStatement& statement, const crypto::SignedEnvelope& envelope,
                            const DirectoryKeys& keys) {
  if (statement.federation() != keys.federation) return Wrong("the batch was signed for another federation");
  if (statement.key_id() != envelope.key_id() || statement.algorithm() != envelope.algorithm()) {
    return Wrong("the batch names another key than its envelope");
  }
  if (statement.event_count() == 0 || statement.event_count() > 10'000) {
    return Wrong("the batch does not have 1 to 10,000 events");
  }
  return absl::OkStatus();
}

// Origin of a checkpoint: its first line.
absl::string_view OriginOf(absl::string_view note) { return note.substr(0, note.find('\n')); }

absl::Status CheckLogged(const audit::v1::LogProof& log, const crypto::SignedEnvelope& envelope,
                         const v1::BatchStatement& statement, const DirectoryKeys& keys) {
  const absl::string_view origin = OriginOf(log.checkpoint());
  absl::Status last = Wrong("the directory lists no key of the author's log");
  for (const crypto::PublicKey& key : keys.log_keys(statement.author(), origin)) {
    last = audit::VerifyLogProof(log, origin, key).status();
    if (last.ok()) break;
  }
  RETURN_IF_ERROR(last);
  audit::v1::Record record;
  RETURN_IF_ERROR(Decode(log.record(), "log record", record));
  if (record.batch().envelope_digest() != crypto::Sha256(Encode(envelope)) ||
      record.batch().event_count() != statement.event_count()) {
    return Wrong("the log's record is about another batch");
  }
  return absl::OkStatus();
}

std::vector<VerifiedPart> OpenParts(const v1::EventHeader& header, const v1::EventDisclosure& disclosure,
                                    size_t source) {
  std::vector<VerifiedPart> parts;
  for (int i = 0; i < disclosure.slots_size(); ++i) {
    if (!disclosure.slots(i).has_open()) continue;
    const std::string& content = disclosure.slots(i).open().content();
    if (!DecodePart(header.slots(i), content).ok()) continue;
    parts.push_back({header.slots(i), content, false, source});
  }
  return parts;
}

bool SameBattery(const common::v1::BatteryId& a, const common::v1::BatteryId& b) {
  return a.manufacturer() == b.manufacturer() && a.serial() == b.serial();
}

}  // namespace

absl::StatusOr<Digest> DisclosedDigest(const v1::EventHeader& header, const v1::EventDisclosure& disclosure) {
  if (disclosure.slots_size() != header.slots_size())
    return Wrong("the number of slots differs from the header's");
  std::vector<Digest> digests;
  for (int i = 0; i < disclosure.slots_size(); ++i) {
    ASSIGN_OR_RETURN(Digest digest, SlotDigest(static_cast<uint32_t>(i), disclosure.slots(i)));
    digests.push_back(std::move(digest));
  }
  return EventDigest(disclosure.header(), digests);
}

absl::Status CheckSlotTable(const v1::EventHeader& header) {
  const absl::Span<const v1::PartKind> table = SlotsOf(header.type());
  bool fits = static_cast<size_t>(header.slots_size()) == table.size();
  for (int i = 0; fits && i < header.slots_size(); ++i)
    fits = header.slots(i) == table[static_cast<size_t>(i)];
  return fits ? absl::OkStatus() : Wrong("the slots are not those of the event's type");
}

absl::StatusOr<VerifiedBatch> VerifyBatch(const v1::BatchEvidence& evidence, const DirectoryKeys& keys) {
  VerifiedBatch batch;
  const crypto::SignedEnvelope& envelope = evidence.statement();
  RETURN_IF_ERROR(DecodeCanonical(envelope.payload(), "batch statement", batch.statement));
  RETURN_IF_ERROR(CheckStatement(batch.statement, envelope, keys));
  const std::string& author = batch.statement.author();
  const absl::StatusOr<crypto::PublicKey> key = keys.signing_key(author, envelope.key_id());
  if (!key.ok())
    return Wrong(absl::StrCat("the directory lists no key `", envelope.key_id(), "` of the author"));
  RETURN_IF_ERROR(crypto::Verify(envelope, kBatchStatementType, *key));
  if (evidence.has_log()) {
    RETURN_IF_ERROR(CheckLogged(evidence.log(), envelope, batch.statement, keys));
    ASSIGN_OR_RETURN(batch.dated_at, keys.cosigned_at(evidence.log().checkpoint()));
  }
  if (!keys.counts_at(author, envelope.key_id(), batch.dated_at.value_or(keys.now)).ok()) {
    return Wrong(absl::StrCat("key `", envelope.key_id(), "` did not count when the batch was dated"));
  }
  return batch;
}

absl::StatusOr<VerifiedEvent> VerifyDisclosure(const v1::EventDisclosure& disclosure,
                                               const VerifiedBatch& batch, const DirectoryKeys& keys,
                                               size_t source) {
  VerifiedEvent event;
  if (!Decode(disclosure.header(), "event header", event.header).ok())
    return Wrong("the header is no event header");
  if (event.header.author() != batch.statement.author())
    return Wrong("the event's author did not sign the batch");
  ASSIGN_OR_RETURN(event.digest, DisclosedDigest(event.header, disclosure));
  RETURN_IF_ERROR(audit::VerifyInclusion(
      audit::LeafHash(event.digest), disclosure.index(), batch.statement.event_count(),
      {disclosure.path().begin(), disclosure.path().end()}, batch.statement.merkle_root()));
  if (HasUnknownFields(event.header) || !IsKnownType(event.header.type())) {
    return absl::UnimplementedError("an event of a newer version is withheld");
  }
  RETURN_IF_ERROR(CheckSlotTable(event.header));
  event.parts = OpenParts(event.header, disclosure, source);
  event.dated_at = batch.dated_at;
  event.approved =
      event.header.type() == v1::EVENT_TYPE_AMENDMENT_APPROVED &&
      VerifyApproval(event.header.approval(), event.header.refers_to(), event.header.author(), keys).ok();
  return event;
}

absl::StatusOr<VerifiedSet> VerifyEventSet(absl::string_view bytes, const common::v1::BatteryId& battery,
                                           const DirectoryKeys& keys, size_t source) {
  v1::EventSet set;
  if (!DecodeCanonical(bytes, "event set", set).ok()) return Wrong("the event set is malformed");
  if (set.events_size() > kMaxEvents) return Wrong("the event set has more than 10,000 events");
  std::vector<VerifiedBatch> batches;
  for (const v1::BatchEvidence& evidence : set.batches()) {
    ASSIGN_OR_RETURN(VerifiedBatch batch, VerifyBatch(evidence, keys));
    batches.push_back(std::move(batch));
  }
  VerifiedSet verified;
  for (const v1::EventDisclosure& disclosure : set.events()) {
    if (disclosure.batch() >= batches.size()) return Wrong("an event names a batch that is not there");
    absl::StatusOr<VerifiedEvent> event =
        VerifyDisclosure(disclosure, batches[disclosure.batch()], keys, source);
    if (absl::IsUnimplemented(event.status())) {
      verified.warnings.emplace_back(event.status().message());
      continue;
    }
    RETURN_IF_ERROR(event.status());
    if (!SameBattery(event->header.subject(), battery)) return Wrong("an event is about another battery");
    verified.events.push_back(*std::move(event));
  }
  return verified;
}

absl::Status VerifyApproval(absl::string_view envelope, absl::string_view proposal_digest,
                            absl::string_view author, const DirectoryKeys& keys) {
  crypto::SignedEnvelope signed_approval;
  v1::AmendmentApproval approval;
  RETURN_IF_ERROR(DecodeCanonical(envelope, "approval envelope", signed_approval));
  RETURN_IF_ERROR(DecodeCanonical(signed_approval.payload(), "amendment approval", approval));
  if (approval.proposal_digest() != proposal_digest) return Wrong("the approval is about another proposal");
  if (approval.issuer() != author) return Wrong("the approval is for another issuer");
  ASSIGN_OR_RETURN(const crypto::PublicKey key, keys.signing_key(keys.registrar, signed_approval.key_id()));
  return crypto::Verify(signed_approval, kAmendmentApprovalType, key);
}

}  // namespace tsunagi::passport
