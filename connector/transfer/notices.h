// Tells the authoritative catalogs what this participant holds.
#pragma once

#include "absl/status/statusor.h"
#include "connector/ports.h"
#include "tsunagi/connector/v1/connector_service.pb.h"

namespace tsunagi::connector {

// Files one notice per battery with the catalog of its manufacturer. Blocks: only on the worker pool. After
// an error the same request completes it: each catalog knows it by an id that follows from the request's.
//   INVALID_ARGUMENT  request_id, a battery or section is wrong, or there are more than 1,000; nothing was
//   filed others            the catalog named in the message did not take its notices
absl::StatusOr<v1::FileHolderNoticesResponse> FileHolderNotices(Federation& federation,
                                                                const v1::FileHolderNoticesRequest& request);

}  // namespace tsunagi::connector
