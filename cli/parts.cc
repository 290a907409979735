#include "cli/parts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/values.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "passport/model/parts.h"

namespace tsunagi::cli {
namespace {

namespace pb = passport::v1;

std::string SeriesLine(absl::string_view content) {
  pb::ConditionSeriesPart series;
  if (!Decode(content, "series", series).ok() || series.points().empty()) return "no points";
  const auto& first = *series.points().begin();
  const auto& last = *series.points().rbegin();
  return absl::StrCat(series.points_size(), " points, ", FormatInstant(first.measured_at()), " ",
                      FormatDecimal(first.capacity_ah()), " Ah … ", FormatInstant(last.measured_at()), " ",
                      FormatDecimal(last.capacity_ah()), " Ah");
}

void AppendPairs(const Json& json, std::vector<std::string>& pairs) {
  for (const auto& [key, value] : json.items()) {
    if (value.is_object()) {
      AppendPairs(value, pairs);
    } else if (value.is_array()) {
      if (!value.empty()) pairs.push_back(absl::StrCat(key, " ", value.size()));
    } else if (value.is_string() ? value != "" : value != 0) {
      pairs.push_back(absl::StrCat(key, " ", value.is_string() ? value.get<std::string>() : value.dump()));
    }
  }
}

absl::Status AppendOpenParts(const pb::EventDisclosure& event, std::vector<ReleasedPart>& parts) {
  pb::EventHeader header;
  RETURN_IF_ERROR(Decode(event.header(), "event header", header));
  if (header.slots_size() != event.slots_size()) {
    return absl::InvalidArgumentError("an event has another number of slots than its header");
  }
  for (int i = 0; i < event.slots_size(); ++i) {
    if (event.slots(i).has_open()) {
      parts.push_back({header.slots(i), header.author(), event.slots(i).open().content()});
    }
  }
  return absl::OkStatus();
}

}  // namespace

Json PartJson(pb::PartKind kind, absl::string_view content) {
  const auto part = passport::DecodePart(kind, content);
  return part.ok() ? ToJson(**part) : Json::object();
}

std::string PartLine(pb::PartKind kind, absl::string_view content) {
  if (kind == pb::PART_KIND_CONDITION_SERIES) return SeriesLine(content);
  std::vector<std::string> pairs;
  AppendPairs(PartJson(kind, content), pairs);
  return absl::StrJoin(pairs, ", ");
}

absl::StatusOr<std::vector<ReleasedPart>> PartsOf(const connector::v1::ReleasedContent& content) {
  pb::EventSet set;
  RETURN_IF_ERROR(Decode(content.events(), "released events", set));
  std::vector<ReleasedPart> parts;
  for (const auto& event : set.events()) RETURN_IF_ERROR(AppendOpenParts(event, parts));
  return parts;
}

Json ToJson(const std::vector<ReleasedPart>& parts) {
  Json list = Json::array();
  for (const ReleasedPart& part : parts) {
    list.push_back({{"kind", WordOf(part.kind)},
                    {"author", part.author},
                    {"content", PartJson(part.kind, part.content)}});
  }
  return list;
}

}  // namespace tsunagi::cli
