// Erasure of parts that can point at a person.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "passport/records/context.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::passport {

// Thread-safe; blocks until no file of the store holds the bytes, so never on a handler's thread.
class RecordEraser {
 public:
  // `context` must outlive the eraser.
  explicit RecordEraser(const RecordContext& context) : context_(context) {}

  // Deletes bytes and salts of the parts and every look-up key of the vehicles in them, and leaves
  // tombstones. Slot digests stay, so that signatures, chains and the log verify as before. 0 parts is no
  // error. INVALID_ARGUMENT when the reason is missing or holds the vehicle's identifier.
  absl::StatusOr<v1::ErasePartsResponse> EraseParts(absl::string_view caller,
                                                    const v1::ErasePartsRequest& request);

 private:
  const RecordContext& context_;
};

}  // namespace tsunagi::passport
