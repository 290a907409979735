#include "connector/transfer/ask.h"

#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audit/receipt.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::connector {
namespace {

using identity::Party;

constexpr policy::SectionMask kLookup = policy::BitOf(common::v1::SECTION_LOOKUP);
absl::Status Wrong(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the answer does not verify: ", what));
}

// OK when the proof leads to a checkpoint under one of the participant's log keys.
absl::Status CheckProof(const audit::v1::LogProof& proof, const Party& holder) {
  for (const identity::v1::ParticipantKey& key : holder.participant.keys()) {
    if (key.purpose() != identity::v1::KEY_PURPOSE_LOG) continue;
    const absl::StatusOr<crypto::PublicKey> log_key = crypto::PublicKey::FromDer(key.public_key());
    if (log_key.ok() && audit::VerifyLogProof(proof, key.log_origin(), *log_key).ok())
      return absl::OkStatus();
  }
  return Wrong("its record is in no log of the holder");
}

// OK when the holder's record says that it released these bytes to this consumer.
absl::Status CheckRecord(const audit::v1::ReleaseRecord& record, const v1::ReleasedContent& content,
                         absl::string_view bytes, const Party& holder, absl::string_view consumer,
                         absl::string_view agreement, absl::string_view purpose) {
  if (record.provider() != holder.participant.did()) return Wrong("the record names another provider");
  if (record.consumer() != consumer) return Wrong("the record names another consumer");
  if (record.agreement() != agreement) return Wrong("the record names another agreement");
  if (record.purpose() != purpose) return Wrong("the record names another purpose");
  if (record.content_digest() != crypto::Sha256(bytes)) return Wrong("the record names other content");
  if (record.battery().manufacturer() != content.battery().manufacturer() ||
      record.battery().serial() != content.battery().serial()) {
    return Wrong("the record names another battery");
  }
  return absl::OkStatus();
}

absl::Status CheckSubjectOf(const v1::ReleasedContent& content, const common::v1::Subject& asked) {
  if (!asked.has_battery()) return absl::OkStatus();
  const bool same = content.battery().manufacturer() == asked.battery().manufacturer() &&
                    content.battery().serial() == asked.battery().serial();
  return same ? absl::OkStatus() : Wrong("it is about another battery");
}

v1::ReleaseRequest RequestFor(const Question& question, absl::string_view agreement) {
  v1::ReleaseRequest request;
  request.set_agreement(std::string(agreement));
  *request.mutable_subject() = question.subject;
  const policy::SectionMask sections =
      question.subject.has_vehicle() ? question.sections | kLookup : question.sections;
  for (const policy::Section section : policy::SectionsIn(sections)) request.add_sections(section);
  request.set_purpose(question.purpose);
  return request;
}

bool LacksAgreement(const absl::StatusOr<VerifiedRelease>& release) {
  if (!release.ok())
    return absl::IsFailedPrecondition(release.status()) || absl::IsPermissionDenied(release.status());
  for (const v1::WithheldSection& withheld : release->content.withheld()) {
    if (withheld.reason() == "NOT_IN_AGREEMENT") return true;
  }
  return false;
}

absl::string_view OutcomeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return "RELEASED";
    case absl::StatusCode::kNotFound:
      return "NOT_FOUND";
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return "UNREACHABLE";
    case absl::StatusCode::kDataLoss:
      return "INVALID";
    default:
      return "REFUSED";
  }
}

}  // namespace

absl::StatusOr<VerifiedRelease> VerifyRelease(v1::ReleaseResponse response, const Party& holder,
                                              const std::string& consumer, const std::string& agreement,
                                              const Question& question, const passport::DirectoryKeys& keys,
                                              size_t source) {
  VerifiedRelease release;
  release.agreement = agreement;
  audit::v1::Record record;
  if (!DecodeCanonical(response.content(), "content", release.content).ok())
    return Wrong("its content is damaged");
  if (!DecodeCanonical(response.proof().record(), "record", record).ok())
    return Wrong("its record is damaged");
  RETURN_IF_ERROR(CheckRecord(record.release(), release.content, response.content(), holder, consumer,
                              agreement, question.purpose));
  RETURN_IF_ERROR(CheckProof(response.proof(), holder));
  RETURN_IF_ERROR(CheckSubjectOf(release.content, question.subject));
  absl::StatusOr<passport::VerifiedSet> events =
      passport::VerifyEventSet(release.content.events(), release.content.battery(), keys, source);
  if (!events.ok()) return Wrong(events.status().message());
  release.events = *std::move(events);
  release.response = std::move(response);
  return release;
}

Asked HolderClient::Ask(const Caller& caller, std::shared_ptr<const Party> holder, const Question& question,
                        const passport::DirectoryKeys& keys, size_t source) {
  Asked asked;
  asked.source = source;
  asked.answer.set_participant(holder->participant.did());
  const bool is_own = holder->participant.did() == own_.did;
  absl::StatusOr<VerifiedRelease> release = is_own ? AskOwn(caller, *holder, question, keys, source)
                                                   : AskUnder(false, *holder, question, keys, source);
  if (!is_own && LacksAgreement(release)) {
    absl::StatusOr<VerifiedRelease> again = AskUnder(true, *holder, question, keys, source);
    if (again.ok() || !release.ok()) release = std::move(again);
  }
  asked.holder = std::move(holder);
  asked.answer.set_outcome(std::string(OutcomeOf(release.status())));
  asked.answer.set_message(std::string(release.status().message()));
  if (!release.ok()) return asked;
  *asked.answer.mutable_withheld() = release->content.withheld();
  *asked.answer.mutable_obligations() = release->content.obligations();
  asked.release = *std::move(release);
  return asked;
}

absl::StatusOr<VerifiedRelease> HolderClient::AskOwn(const Caller& caller, const Party& own,
                                                     const Question& question,
                                                     const passport::DirectoryKeys& keys, size_t source) {
  std::promise<absl::StatusOr<v1::ReleaseResponse>> answered;
  releases_.Release(caller, RequestFor(question, ""),
                    [&](auto response) { answered.set_value(std::move(response)); });
  ASSIGN_OR_RETURN(v1::ReleaseResponse response, answered.get_future().get());
  return VerifyRelease(std::move(response), own, own_.did, "", question, keys, source);
}

absl::StatusOr<VerifiedRelease> HolderClient::AskUnder(bool anew, const Party& holder,
                                                       const Question& question,
                                                       const passport::DirectoryKeys& keys, size_t source) {
  // The right to look up comes from either section; whether `vehicle` is released is another question.
  const policy::SectionMask sections =
      question.subject.has_vehicle() ? question.sections | kVehicleRights : question.sections;
  ASSIGN_OR_RETURN(const std::shared_ptr<const KnownAgreement> agreement,
                   agreements_.Obtain(holder, {sections, question.purpose, question.subject}, anew));
  const std::string& id = agreement->agreement.id();
  ASSIGN_OR_RETURN(v1::ReleaseResponse response,
                   federation_.Release(holder.participant.did(), RequestFor(question, id)));
  return VerifyRelease(std::move(response), holder, own_.did, id, question, keys, source);
}

}  // namespace tsunagi::connector
