#include "core/base/error.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "core/base/text.h"

namespace tsunagi {
namespace {

constexpr absl::string_view kDetailUrl = "type.googleapis.com/tsunagi.common.v1.ErrorDetail";
constexpr size_t kMaxValueBytes = 128;

}  // namespace

absl::Status InvalidArgument(const BadValue& bad) {
  const std::string value = Printable(bad.value, kMaxValueBytes);
  ErrorDetail detail;
  detail.set_reason(std::string(bad.reason));
  detail.set_field(std::string(bad.field));
  detail.set_value(value);
  detail.set_expected(std::string(bad.expected));
  return WithDetail(
      absl::InvalidArgumentError(absl::StrCat("`", bad.field, "` is `", value, "`: expected ", bad.expected)),
      detail);
}

absl::Status WithDetail(absl::Status status, const ErrorDetail& detail) {
  status.SetPayload(kDetailUrl, absl::Cord(detail.SerializeAsString()));
  return status;
}

std::optional<ErrorDetail> DetailOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kDetailUrl);
  if (!payload.has_value()) return std::nullopt;
  ErrorDetail detail;
  if (!detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { annotated.SetPayload(url, payload); });
  return annotated;
}

}  // namespace tsunagi
