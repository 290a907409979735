// Erasure of parts that can point at a person.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/requests.h"
#include "passport/model/identifiers.h"
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
  // error. What is written about the vehicle or the battery meanwhile is erased too.
  //   INVALID_ARGUMENT  the reason is missing or holds the vehicle's identifier
  //   ABORTED           others kept writing about it: send the request again
  absl::StatusOr<v1::ErasePartsResponse> EraseParts(absl::string_view caller,
                                                    const v1::ErasePartsRequest& request);

 private:
  // One decision, from reading to the durable erasure.
  absl::StatusOr<v1::ErasePartsResponse> TryErase(const audit::RequestKey& key,
                                                  const v1::ErasePartsRequest& request,
                                                  const std::optional<VehicleIdentifier>& vehicle);

  const RecordContext& context_;
};

}  // namespace tsunagi::passport
