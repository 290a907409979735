#include "core/base/proto.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/unknown_field_set.h"

namespace tsunagi {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Seconds of 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the bounds of google.protobuf.Timestamp.
constexpr int64_t kMinSeconds = -62135596800;
constexpr int64_t kMaxSeconds = 253402300799;
constexpr int32_t kNanosPerSecond = 1'000'000'000;

bool FieldHasUnknown(const Message& message, const Reflection& reflection, const FieldDescriptor* field) {
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return false;
  if (!field->is_repeated()) return HasUnknownFields(reflection.GetMessage(message, field));
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    if (HasUnknownFields(reflection.GetRepeatedMessage(message, field, i))) return true;
  }
  return false;
}

}  // namespace

std::string Encode(const Message& message) {
  std::string bytes;
  bytes.reserve(message.ByteSizeLong());
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeWithCachedSizes(&coded);
  }
  return bytes;
}

absl::Status Decode(absl::string_view bytes, absl::string_view what, Message& message) {
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError(absl::StrCat(what, " is malformed: expected a serialised ",
                                                   std::string(message.GetDescriptor()->full_name())));
  }
  return absl::OkStatus();
}

absl::Status DecodeCanonical(absl::string_view bytes, absl::string_view what, Message& message) {
  RETURN_IF_ERROR(Decode(bytes, what, message));
  if (HasUnknownFields(message)) {
    return absl::InvalidArgumentError(absl::StrCat(what, " has fields that this program does not know"));
  }
  if (Encode(message) != bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, " is not in canonical form: expected fields in order of number, each once, no defaults"));
  }
  return absl::OkStatus();
}

bool HasUnknownFields(const Message& message) {
  const Reflection& reflection = *message.GetReflection();
  if (!reflection.GetUnknownFields(message).empty()) return true;
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  return std::any_of(fields.begin(), fields.end(), [&](const FieldDescriptor* field) {
    return FieldHasUnknown(message, reflection, field);
  });
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  const absl::Time last = absl::FromUnixSeconds(kMaxSeconds) + absl::Nanoseconds(kNanosPerSecond - 1);
  const absl::Time clamped = std::clamp(time, absl::FromUnixSeconds(kMinSeconds), last);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(absl::ToUnixSeconds(clamped));
  const absl::Duration rest = clamped - absl::FromUnixSeconds(timestamp.seconds());
  timestamp.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return timestamp;
}

absl::StatusOr<absl::Time> FromProto(const google::protobuf::Timestamp& timestamp) {
  if (timestamp.seconds() < kMinSeconds || timestamp.seconds() > kMaxSeconds) {
    return absl::InvalidArgumentError(
        absl::StrCat("timestamp of ", timestamp.seconds(), " s: expected a time in years 1 to 9999"));
  }
  if (timestamp.nanos() < 0 || timestamp.nanos() >= kNanosPerSecond) {
    return absl::InvalidArgumentError(
        absl::StrCat("timestamp with ", timestamp.nanos(), " ns: expected 0 to 999999999"));
  }
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

}  // namespace tsunagi
