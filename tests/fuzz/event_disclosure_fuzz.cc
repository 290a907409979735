// A disclosed event set and its parts, with a directory that lists no key.
#include <cstddef>
#include <cstdint>

#include "passport/model/parts.h"
#include "passport/model/verify.h"

namespace {

using tsunagi::passport::DirectoryKeys;

DirectoryKeys NoKeys() {
  DirectoryKeys keys;
  keys.federation = "battery.example";
  keys.signing_key = [](absl::string_view, absl::string_view) { return absl::NotFoundError(""); };
  keys.counts_at = [](absl::string_view, absl::string_view, absl::Time) { return absl::OkStatus(); };
  keys.log_keys = [](absl::string_view, absl::string_view) {
    return std::vector<tsunagi::crypto::PublicKey>();
  };
  keys.cosigned_at = [](absl::string_view) { return absl::NotFoundError(""); };
  keys.now = absl::UnixEpoch();
  return keys;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsunagi::passport;  // NOLINT: short target
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const DirectoryKeys& keys = *new DirectoryKeys(NoKeys());
  VerifyEventSet(bytes, tsunagi::common::v1::BatteryId(), keys, 0).IgnoreError();
  v1::EventDisclosure disclosure;
  if (disclosure.ParseFromArray(data, static_cast<int>(size))) {
    VerifyDisclosure(disclosure, VerifiedBatch(), keys, 0).IgnoreError();
  }
  VerifyApproval(bytes, "", "", keys).IgnoreError();
  v1::EventHeader header;
  std::vector<std::string> warnings;
  for (int kind = 0; kind <= v1::PartKind_MAX; ++kind) {
    CheckPart(static_cast<v1::PartKind>(kind), bytes, {header, absl::UnixEpoch(), warnings}).IgnoreError();
  }
  return 0;
}
