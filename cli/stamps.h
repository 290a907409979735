// Time stamps of logs and of receipts, as a person meets them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/output.h"
#include "cli/session.h"
#include "core/crypto/time_stamp.h"
#include "tsunagi/audit/v1/stamp.pb.h"

namespace tsunagi::cli {

// The authority's root, PEM; nothing when `path` is empty.
absl::StatusOr<std::optional<crypto::TimeStampVerifier>> LoadStampingRoot(const std::string& path);

// The stamps of one log.
struct LogStamps {
  uint64_t count = 0;
  uint64_t leaves = 0;  // that the newest one covers
  bool verified = false;
  // Of the newest one, when they were verified.
  crypto::TimeStamp newest = {};
};

// Fetches the stamps of a process's log up to `leaves`, oldest first. Gives each stamped note to
// `check_note`, which compares it with the log unless it has more leaves than that, and returns how many it
// has; verifies its stamp when there is a verifier. DATA_LOSS or UNAUTHENTICATED naming the first that does
// not hold.
absl::StatusOr<LogStamps> VerifyStamps(
    Session& session, const std::string& process, uint64_t leaves,
    const std::optional<crypto::TimeStampVerifier>& verifier,
    const std::function<absl::StatusOr<uint64_t>(const std::string& note)>& check_note);

Json StampsJson(const LogStamps& stamps);
// For people; empty when there is no stamp.
std::string StampsLine(const std::string& log, const LogStamps& stamps);

// The first stamp at a process of whoever the session calls that covers a checkpoint of `leaves`. NOT_FOUND
// when there is none yet.
absl::StatusOr<audit::v1::ReceiptStamp> FetchStamp(Session& session, const std::string& process,
                                                   uint64_t leaves);

}  // namespace tsunagi::cli
