// Records of the connector's leaves, and what stands in more than one of them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "connector/policy/sections.h"
#include "google/protobuf/message.h"
#include "google/protobuf/repeated_field.h"
#include "tsunagi/audit/v1/record.pb.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi::connector {

// A record that states `time`; the caller sets the entry and encodes it.
audit::v1::Record RecordAt(absl::Time time);

// The record of a denial; the caller may add the battery.
audit::v1::DenialRecord DenialOf(absl::string_view caller, const std::vector<std::string>& reasons,
                                 uint64_t count = 1);

// Derived from the node's key, once.
std::string RequestDigestKey(absl::string_view node_key);
// HMAC-SHA-256 of a request under that key: records can be matched by the node alone.
std::string RequestDigest(absl::string_view key, const google::protobuf::Message& request);

// The one answer to callers that may see nothing of an identifier, whether or not it exists.
absl::Status NotFound();

// The sections as a mask. INVALID_ARGUMENT when there is none or one is unknown.
absl::StatusOr<policy::SectionMask> SectionsOf(const google::protobuf::RepeatedField<int>& sections);

// INVALID_ARGUMENT unless the purpose (利用目的) is a word that a policy can name.
absl::Status CheckPurpose(absl::string_view purpose);

// INVALID_ARGUMENT unless the subject is a battery with DID and serial, or a vehicle of at most 64 bytes.
absl::Status CheckSubject(const common::v1::Subject& subject);

}  // namespace tsunagi::connector
