#include "connector/records.h"

#include "connector/policy/check.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "passport/model/identifiers.h"

namespace tsunagi::connector {
namespace {

constexpr absl::string_view kRequestDigestKey = "tsunagi/request-digest/v1";
constexpr size_t kMaxVehicleBytes = 64;

}  // namespace

audit::v1::Record RecordAt(absl::Time time) {
  audit::v1::Record record;
  *record.mutable_time() = ToProto(time);
  return record;
}

audit::v1::DenialRecord DenialOf(absl::string_view caller, const std::vector<std::string>& reasons,
                                 uint64_t count) {
  audit::v1::DenialRecord denial;
  denial.set_caller(std::string(caller));
  for (const std::string& reason : reasons) denial.add_reasons(reason);
  denial.set_count(count);
  return denial;
}

std::string RequestDigestKey(absl::string_view node_key) {
  return crypto::HmacSha256(node_key, {kRequestDigestKey});
}

std::string RequestDigest(absl::string_view key, const google::protobuf::Message& request) {
  return crypto::HmacSha256(key, {Encode(request)});
}

absl::Status NotFound() { return absl::NotFoundError("not found"); }

absl::StatusOr<policy::SectionMask> SectionsOf(const google::protobuf::RepeatedField<int>& sections) {
  policy::SectionMask mask = 0;
  for (const int section : sections) {
    if (!policy::IsSection(section)) {
      return InvalidArgument(
          {"SECTION_UNKNOWN", "sections", std::to_string(section), "a section such as `condition`"});
    }
    mask |= policy::BitOf(static_cast<policy::Section>(section));
  }
  if (mask == 0) return InvalidArgument({"SECTION_MISSING", "sections", "", "at least one section"});
  return mask;
}

absl::Status CheckPurpose(absl::string_view purpose) {
  if (policy::IsWord(purpose)) return absl::OkStatus();
  return InvalidArgument(
      {"PURPOSE_WRONG", "purpose", purpose, "1 to 64 characters of [a-z0-9._:-] such as `reuse-assessment`"});
}

absl::Status CheckSubject(const common::v1::Subject& subject) {
  switch (subject.subject_case()) {
    case common::v1::Subject::kBattery:
      return passport::CheckBatteryId(subject.battery(), "subject.battery");
    case common::v1::Subject::kVehicle:
      if (!subject.vehicle().empty() && subject.vehicle().size() <= kMaxVehicleBytes) return absl::OkStatus();
      return InvalidArgument(
          {"VEHICLE_WRONG", "subject.vehicle", "", "a VIN or 車台番号 of at most 64 bytes"});
    case common::v1::Subject::SUBJECT_NOT_SET:
      return InvalidArgument({"SUBJECT_MISSING", "subject", "", "a battery or a vehicle"});
  }
  return absl::InternalError("subject of an unknown kind");
}

}  // namespace tsunagi::connector
