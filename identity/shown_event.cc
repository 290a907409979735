#include "identity/shown_event.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "passport/model/verify.h"

namespace tsunagi::identity {
namespace {

constexpr size_t kMaxPart = 64 << 10;
constexpr size_t kMaxHeader = 4 << 10;

absl::Status CheckHeader(absl::string_view field, const std::string& bytes,
                         passport::v1::EventHeader& header) {
  const bool known = bytes.size() <= kMaxHeader && Decode(bytes, field, header).ok() &&
                     !HasUnknownFields(header) && passport::CheckSlotTable(header).ok();
  const bool type_fits = header.type() == passport::v1::EVENT_TYPE_REGISTERED ||
                         header.type() == passport::v1::EVENT_TYPE_AMENDMENT_PROPOSED;
  if (known && type_fits && !header.subject().manufacturer().empty() && !header.subject().serial().empty()) {
    return absl::OkStatus();
  }
  return InvalidArgument({"EVENT_INVALID", field, absl::StrCat(bytes.size(), " bytes of header"),
                          "a registration or a proposed amendment of this version about one battery"});
}

// The registrar must not see more than it decides on.
absl::Status CheckOnlyIdentityIsOpen(absl::string_view field, const passport::v1::EventHeader& header,
                                     const passport::v1::EventDisclosure& disclosure) {
  for (int i = 0; i < disclosure.slots_size() && i < header.slots_size(); ++i) {
    const bool is_identity = header.slots(i) == passport::v1::PART_KIND_IDENTITY;
    if (disclosure.slots(i).has_open() == is_identity) continue;
    return InvalidArgument({"SLOTS_WRONG", field,
                            absl::StrCat("slot ", i, is_identity ? " withheld" : " open"),
                            "the identity slot open and every other slot as a digest"});
  }
  return absl::OkStatus();
}

absl::Status CheckIdentity(absl::string_view field, const std::string& bytes,
                           const common::v1::BatteryId& battery) {
  passport::v1::IdentityPart part;
  if (bytes.size() > kMaxPart || !DecodeCanonical(bytes, field, part).ok()) {
    return InvalidArgument({"PART_INVALID", field, absl::StrCat(bytes.size(), " bytes"),
                            "an identity part in its canonical encoding, at most 64 KiB"});
  }
  if (SameBattery(part.battery(), battery)) return absl::OkStatus();
  return InvalidArgument({"BATTERY_DIFFERS", field, part.battery().serial(), "the battery of the event"});
}

}  // namespace

absl::StatusOr<ShownEvent> OpenShownEvent(absl::string_view field,
                                          const passport::v1::EventDisclosure& disclosure) {
  ShownEvent event;
  RETURN_IF_ERROR(CheckHeader(field, disclosure.header(), event.header));
  RETURN_IF_ERROR(CheckOnlyIdentityIsOpen(field, event.header, disclosure));
  absl::StatusOr<crypto::Digest> digest = passport::DisclosedDigest(event.header, disclosure);
  if (!digest.ok()) {
    return InvalidArgument({"SLOTS_WRONG", field, absl::StrCat(disclosure.slots_size(), " slots"),
                            "one slot for each of the header's, a digest or a part with its salt"});
  }
  event.digest = *std::move(digest);
  event.identity = disclosure.slots(0).open().content();
  RETURN_IF_ERROR(CheckIdentity(field, event.identity, event.header.subject()));
  return event;
}

bool SameBattery(const common::v1::BatteryId& a, const common::v1::BatteryId& b) {
  return a.manufacturer() == b.manufacturer() && a.serial() == b.serial();
}

}  // namespace tsunagi::identity
