// Protobuf on disk and in digests.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"

namespace tsunagi {

// The one encoding that we write: fields in order of number, no unknown fields, no maps.
std::string Encode(const google::protobuf::Message& message);

// Parses `bytes`. INVALID_ARGUMENT naming `what` when they are no such message.
absl::Status Decode(absl::string_view bytes, absl::string_view what, google::protobuf::Message& message);

// Decode, and INVALID_ARGUMENT when the bytes are not what Encode gives: unknown fields, other order,
// padding.
absl::Status DecodeCanonical(absl::string_view bytes, absl::string_view what,
                             google::protobuf::Message& message);

// True when the message or one inside it has fields that this program does not know.
bool HasUnknownFields(const google::protobuf::Message& message);

// Times outside years 1 to 9999 become the nearest one inside; fractions of a nanosecond are cut.
google::protobuf::Timestamp ToProto(absl::Time time);
// INVALID_ARGUMENT outside years 1 to 9999 or with nanos outside 0 to 999,999,999.
absl::StatusOr<absl::Time> FromProto(const google::protobuf::Timestamp& timestamp);

}  // namespace tsunagi
