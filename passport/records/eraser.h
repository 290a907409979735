// Erasure of parts that can point at a person.
#pragma once

#include "absl/status/statusor.h"
#include "core/audit/requests.h"
#include "core/base/caller.h"
#include "passport/model/identifiers.h"
#include "passport/records/context.h"
#include "passport/records/erasure_list.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::passport {

// Thread-safe; blocks until no file of the store holds the bytes, so never on a handler's thread.
class RecordEraser {
 public:
  // Both must outlive the eraser.
  RecordEraser(const RecordContext& context, ErasureList& list) : context_(context), list_(list) {}

  // Deletes bytes and salts of the parts and every look-up key of the vehicles in them, and leaves
  // tombstones; the parts are in the list before. Slot digests stay, so that signatures, chains and the log
  // verify as before. 0 parts is no error. What is written about the vehicle or the battery meanwhile is
  // erased too. The leaf names who acted.
  //   INVALID_ARGUMENT  the reason is missing or holds the vehicle's identifier
  //   ABORTED           others kept writing about it: send the request again
  absl::StatusOr<v1::ErasePartsResponse> EraseParts(const Caller& caller,
                                                    const v1::ErasePartsRequest& request);

  // Erases the parts of the list that the store does not know of: it was restored from an older copy. To be
  // called before anything is served. Reads every event when there are such parts, nothing otherwise.
  absl::Status EraseAgain();

 private:
  // One decision, from reading to the durable erasure.
  absl::StatusOr<v1::ErasePartsResponse> TryErase(const Caller& caller, const audit::RequestKey& key,
                                                  const v1::ErasePartsRequest& request,
                                                  const std::optional<VehicleIdentifier>& vehicle);

  const RecordContext& context_;
  ErasureList& list_;
};

}  // namespace tsunagi::passport
