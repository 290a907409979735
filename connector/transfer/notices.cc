#include "connector/transfer/notices.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "connector/records.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/random.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "passport/model/identifiers.h"

namespace tsunagi::connector {
namespace {

constexpr int kMaxNotices = 1'000;

// Version 8 of RFC 9562: bits of our own making.
std::string IdFor(absl::string_view request_id, absl::string_view manufacturer) {
  std::string bytes = crypto::Sha256(absl::StrCat(request_id, "\n", manufacturer)).substr(0, 16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x80);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  const std::string hex = ToHex(bytes);
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-", hex.substr(16, 4),
                      "-", hex.substr(20));
}

absl::Status Check(const v1::FileHolderNoticesRequest& request) {
  if (!IsUuid(request.request_id())) {
    return InvalidArgument({"REQUEST_ID_WRONG", "request_id", request.request_id(),
                            "a UUID in lower case such as 7d2f6a0e-8b1c-4a37-9f54-0c1e5b6a9d21"});
  }
  RETURN_IF_ERROR(SectionsOf(request.sections()).status());
  if (request.batteries().empty() || request.batteries_size() > kMaxNotices) {
    return InvalidArgument(
        {"BATTERIES_WRONG", "batteries", absl::StrCat(request.batteries_size(), " entries"), "1 to 1,000"});
  }
  for (const common::v1::BatteryId& battery : request.batteries()) {
    RETURN_IF_ERROR(passport::CheckBatteryId(battery, "batteries"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::FileHolderNoticesResponse> FileHolderNotices(Federation& federation,
                                                                const v1::FileHolderNoticesRequest& request) {
  RETURN_IF_ERROR(Check(request));
  std::map<std::string, catalog::v1::FileNoticesRequest> by_manufacturer;
  for (const common::v1::BatteryId& battery : request.batteries()) {
    catalog::v1::HolderNotice& notice = *by_manufacturer[battery.manufacturer()].add_notices();
    *notice.mutable_battery() = battery;
    *notice.mutable_sections() = request.sections();
    *notice.mutable_visible_to_parties() = request.visible_to_parties();
    *notice.mutable_visible_to_roles() = request.visible_to_roles();
  }
  v1::FileHolderNoticesResponse response;
  for (auto& [manufacturer, notices] : by_manufacturer) {
    notices.set_request_id(IdFor(request.request_id(), manufacturer));
    if (const absl::Status filed = federation.FileNotices(manufacturer, notices); !filed.ok()) {
      return Annotate(filed,
                      absl::StrCat("filing ", notices.notices_size(), " notices with `", manufacturer, "`"));
    }
    response.set_filed(response.filed() + static_cast<uint64_t>(notices.notices_size()));
  }
  return response;
}

}  // namespace tsunagi::connector
