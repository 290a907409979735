#include "passport/records/import_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "passport/model/facts.h"
#include "passport/model/slots.h"

namespace tsunagi::passport {
namespace {

using NewParts = google::protobuf::RepeatedPtrField<v1::NewPart>;

bool SameTime(const google::protobuf::Timestamp& a, const google::protobuf::Timestamp& b) {
  return a.seconds() == b.seconds() && a.nanos() == b.nanos();
}

// The first field in which the parts of a fact and of an event differ; empty when they say the same.
std::string DifferenceFrom(const KeptEvent& event, const NewParts& parts) {
  for (const v1::PartKind kind : SlotsOf(event.header.type())) {
    const auto given =
        std::find_if(parts.begin(), parts.end(), [&](const auto& p) { return p.kind() == kind; });
    const auto kept =
        std::find_if(event.parts.begin(), event.parts.end(), [&](const auto& p) { return p.kind == kind; });
    if (given == parts.end() && kept == event.parts.end()) continue;
    if (given == parts.end() || kept == event.parts.end() || kept->erased) return std::string(KindName(kind));
    std::string difference = FirstDifference(kind, kept->content, given->content());
    if (!difference.empty()) return difference;
  }
  return "";
}

absl::Status AlreadyRegistered(const BatteryId& battery, absl::string_view field) {
  ErrorDetail detail;
  detail.set_reason("CONTENT_DIFFERS");
  detail.set_field(std::string(field));
  detail.set_value(battery.serial());
  detail.set_expected(
      "the registered value; identity facts are corrected by an amendment that the registrar approves");
  return WithDetail(
      absl::AlreadyExistsError(absl::StrCat("`", battery.serial(), "` is registered with another `", field,
                                            "`: expected ", detail.expected())),
      detail);
}

KeptEvent KeptOf(const DraftEvent& draft, const NewParts& parts) {
  KeptEvent event{draft.stored, draft.header, {}};
  for (const v1::NewPart& part : parts) event.parts.push_back({part.kind(), part.content(), false, 0});
  return event;
}

}  // namespace

absl::StatusOr<v1::ImportOutcome> ImportPlan::Add(const v1::NewFact& fact) {
  if (fact.type() == v1::EVENT_TYPE_REGISTERED && fact.subject().manufacturer() != context_.did) {
    return InvalidArgument(
        {"MANUFACTURER_WRONG", "subject.manufacturer", fact.subject().manufacturer(),
         absl::StrCat("this participant, `", context_.did, "`: only the manufacturer registers")});
  }
  v1::EventHeader header;
  header.set_type(fact.type());
  *header.mutable_subject() = fact.subject();
  *header.mutable_occurred_at() = fact.occurred_at();
  RETURN_IF_ERROR(RefuseErased(header, fact.parts()));
  ASSIGN_OR_RETURN(const std::vector<KeptEvent>* history, Load(fact.subject()));
  for (const KeptEvent& event : *history) {
    if (event.header.type() != fact.type()) continue;
    const bool same_time = SameTime(event.header.occurred_at(), fact.occurred_at());
    if (fact.type() != v1::EVENT_TYPE_REGISTERED && !same_time) continue;
    const std::string difference = DifferenceFrom(event, fact.parts());
    if (difference.empty() && same_time) return v1::IMPORT_OUTCOME_UNCHANGED;
    if (fact.type() == v1::EVENT_TYPE_REGISTERED) {
      return AlreadyRegistered(fact.subject(), difference.empty() ? "occurred_at" : difference);
    }
  }
  RETURN_IF_ERROR(Append(std::move(header), fact.parts()).status());
  return v1::IMPORT_OUTCOME_CREATED;
}

absl::StatusOr<crypto::Digest> ImportPlan::Append(v1::EventHeader header, const NewParts& parts) {
  ASSIGN_OR_RETURN(std::vector<KeptEvent> * history, Load(header.subject()));
  header.set_author(context_.did);
  header.set_sequence(history->empty() ? 1 : history->back().header.sequence() + 1);
  if (!history->empty()) header.set_previous_digest(history->back().stored.digest());
  DraftEvent draft = BuildEvent(std::move(header), parts, context_.secrets, context_.random);
  crypto::Digest digest = draft.stored.digest();
  history->push_back(KeptOf(draft, parts));
  drafts_.push_back(std::move(draft));
  return digest;
}

absl::StatusOr<const std::vector<KeptEvent>*> ImportPlan::HistoryOf(const BatteryId& battery) {
  ASSIGN_OR_RETURN(const std::vector<KeptEvent>* history, Load(battery));
  return history;
}

absl::StatusOr<std::vector<KeptEvent>*> ImportPlan::Load(const BatteryId& battery) {
  const std::string key = EventPrefix(battery);
  const auto found = histories_.find(key);
  if (found != histories_.end()) return &found->second;
  ASSIGN_OR_RETURN(std::vector<KeptEvent> history, ReadHistory(context_.journal.store(), battery));
  return &(histories_[key] = std::move(history));
}

absl::Status ImportPlan::RefuseErased(const v1::EventHeader& header, const NewParts& parts) {
  for (const v1::NewPart& part : parts) {
    if (!IsErasable(part.kind())) continue;
    for (const std::string& text : PointedAt(part.kind(), part.content())) {
      const std::string key = TombstoneKey(context_.secrets, header, part.kind(), text);
      const absl::StatusOr<std::string> tombstone = context_.journal.store().Get(store::Table::kState, key);
      if (absl::IsNotFound(tombstone.status())) continue;
      RETURN_IF_ERROR(tombstone.status());
      return absl::FailedPreconditionError(
          absl::StrCat("the ", KindName(part.kind()), " part of `", header.subject().serial(),
                       "` was erased and must not come back: leave the fact out"));
    }
  }
  return absl::OkStatus();
}

}  // namespace tsunagi::passport
