#include "passport/model/facts.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "google/protobuf/util/message_differencer.h"
#include "passport/model/identifiers.h"
#include "passport/model/parts.h"
#include "passport/model/slots.h"

namespace tsunagi::passport {
namespace {

using google::protobuf::util::MessageDifferencer;

// A time may be given as a day and clocks differ: nothing may lie more than a day ahead.
constexpr absl::Duration kTolerance = absl::Hours(24);

// Remembers the path of the first difference.
class FirstPath final : public MessageDifferencer::Reporter {
  using Path = std::vector<MessageDifferencer::SpecificField>;

 public:
  void ReportAdded(const google::protobuf::Message&, const google::protobuf::Message&,
                   const Path& path) override {
    Keep(path);
  }
  void ReportDeleted(const google::protobuf::Message&, const google::protobuf::Message&,
                     const Path& path) override {
    Keep(path);
  }
  void ReportModified(const google::protobuf::Message&, const google::protobuf::Message&,
                      const Path& path) override {
    Keep(path);
  }
  const std::string& first() const { return first_; }

 private:
  void Keep(const Path& path) {
    if (!first_.empty()) return;
    for (const MessageDifferencer::SpecificField& step : path) {
      if (step.field == nullptr) continue;
      // Inside a Decimal or a date the field that the user knows is the one around it.
      const std::string& type = step.field->containing_type()->full_name();
      if (type == "tsunagi.common.v1.Decimal" || type == "tsunagi.common.v1.YearMonth" ||
          type == "tsunagi.common.v1.CivilDate" || type == "google.protobuf.Timestamp") {
        break;
      }
      absl::StrAppend(&first_, first_.empty() ? "" : ".", step.field->name());
      if (step.field->is_repeated()) absl::StrAppend(&first_, "[", std::max(step.index, step.new_index), "]");
    }
  }

  std::string first_;
};

absl::Status CheckParts(const google::protobuf::RepeatedPtrField<v1::NewPart>& parts,
                        const PartContext& context) {
  const absl::Span<const v1::PartKind> slots = SlotsOf(context.header.type());
  uint32_t seen = 0;
  for (const v1::NewPart& part : parts) {
    if (std::find(slots.begin(), slots.end(), part.kind()) == slots.end()) {
      return InvalidArgument(
          {"KIND_WRONG", "parts.kind", KindName(part.kind()),
           absl::StrCat("a kind that `", TypeName(context.header.type()), "` has a slot for")});
    }
    const uint32_t bit = 1u << part.kind();
    if ((seen & bit) != 0) {
      return InvalidArgument(
          {"KIND_REPEATED", "parts.kind", KindName(part.kind()), "each kind at most once"});
    }
    seen |= bit;
    RETURN_IF_ERROR(CheckPart(part.kind(), part.content(), context));
  }
  return absl::OkStatus();
}

absl::Status CheckType(v1::EventType type) {
  const bool amendment =
      type == v1::EVENT_TYPE_AMENDMENT_PROPOSED || type == v1::EVENT_TYPE_AMENDMENT_APPROVED;
  if (IsKnownType(type) && !amendment) return absl::OkStatus();
  return InvalidArgument({"TYPE_WRONG", "type", TypeName(type),
                          "an event type; identity facts are corrected by ProposeAmendment"});
}

absl::Status CheckOccurredAt(const v1::NewFact& fact, absl::Time latest) {
  const absl::StatusOr<absl::Time> time = FromProto(fact.occurred_at());
  const absl::Time first = absl::FromCivil(absl::CivilYear(1990), absl::UTCTimeZone());
  if (fact.has_occurred_at() && time.ok() && *time >= first && *time <= latest) return absl::OkStatus();
  const bool future = fact.has_occurred_at() && time.ok() && *time > latest;
  return InvalidArgument({!fact.has_occurred_at() ? "FIELD_MISSING"
                          : future                ? "DATE_IN_FUTURE"
                                                  : "DATE_INVALID",
                          "occurred_at",
                          fact.has_occurred_at() && time.ok()
                              ? absl::FormatTime(absl::RFC3339_sec, *time, absl::UTCTimeZone())
                              : "",
                          "an instant from 1990 to today"});
}

}  // namespace

absl::Status CheckFact(const v1::NewFact& fact, absl::Time now, std::vector<std::string>& warnings) {
  RETURN_IF_ERROR(CheckType(fact.type()));
  RETURN_IF_ERROR(CheckBatteryId(fact.subject(), "subject"));
  if (fact.type() == v1::EVENT_TYPE_REGISTERED && LevelName(fact.subject().level()).empty()) {
    return InvalidArgument({"LEVEL_UNKNOWN", "subject.level", "", "pack, module, cell or lot"});
  }
  RETURN_IF_ERROR(CheckOccurredAt(fact, now + kTolerance));
  v1::EventHeader header;
  header.set_type(fact.type());
  *header.mutable_subject() = fact.subject();
  RETURN_IF_ERROR(CheckParts(fact.parts(), {header, now + kTolerance, warnings}));
  const v1::PartKind required = SlotsOf(fact.type())[0];
  const bool present = std::any_of(fact.parts().begin(), fact.parts().end(),
                                   [&](const v1::NewPart& part) { return part.kind() == required; });
  if (present) return absl::OkStatus();
  return InvalidArgument({"PART_MISSING", "parts", "", absl::StrCat("a part of kind ", KindName(required))});
}

absl::Status CheckAmendment(const v1::ProposeAmendmentRequest& request, absl::Time now,
                            std::vector<std::string>& warnings) {
  RETURN_IF_ERROR(CheckBatteryId(request.battery(), "battery"));
  if (request.parts().empty()) {
    return InvalidArgument({"PART_MISSING", "parts", "", "at least one corrected part"});
  }
  v1::EventHeader header;
  header.set_type(v1::EVENT_TYPE_AMENDMENT_PROPOSED);
  *header.mutable_subject() = request.battery();
  return CheckParts(request.parts(), {header, now + kTolerance, warnings});
}

std::string FirstDifference(v1::PartKind kind, absl::string_view a, absl::string_view b) {
  if (a == b) return "";
  const auto first = DecodePart(kind, a);
  const auto second = DecodePart(kind, b);
  if (!first.ok() || !second.ok()) return std::string(KindName(kind));
  FirstPath path;
  MessageDifferencer differencer;
  differencer.ReportDifferencesTo(&path);
  if (differencer.Compare(**first, **second)) return "";
  return absl::StrCat(KindName(kind), path.first().empty() ? "" : ".", path.first());
}

}  // namespace tsunagi::passport
