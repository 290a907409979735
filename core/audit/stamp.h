// Time stamps on checkpoints: where a log keeps them, and the block that a receipt takes along
// (docs/formats/log.md, receipt.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/checkpoint.h"
#include "core/crypto/key.h"
#include "core/store/store.h"
#include "tsunagi/audit/v1/stamp.pb.h"

namespace tsunagi::audit {

// A stamp as it is kept.
struct KeptStamp {
  uint64_t size = 0;  // leaves of its checkpoint
  v1::Stamp stamp;
};

// The write that keeps a stamp for good.
store::Write PutStamp(const KeptStamp& kept);

// Stamps of checkpoints with at least `size` leaves, fewest leaves first, at most `limit`.
absl::StatusOr<std::vector<KeptStamp>> StampsFrom(const store::Store& store, uint64_t size, size_t limit);

// Leaves of the largest stamped checkpoint of a log of `log_size` leaves; 0 when none is stamped. Some forty
// reads.
absl::StatusOr<uint64_t> StampedSize(const store::Store& store, uint64_t log_size);

// OK when the stamped checkpoint is one of the log whose `checkpoint` (of a receipt) it covers: signed by its
// key, and consistent with it. DATA_LOSS naming what does not fit. The stamp itself is for
// crypto::TimeStampVerifier to check.
absl::Status CheckCovers(const v1::ReceiptStamp& stamp, const Checkpoint& checkpoint,
                         const crypto::PublicKey& log_key);

// A receipt file in its parts: the receipt, and the stamp's block below it. `stamp` is empty when there is
// none.
struct ReceiptFile {
  absl::string_view receipt;
  absl::string_view stamp;
};
ReceiptFile SplitReceiptFile(absl::string_view text);

// The text of a stamp's block, and its strict reverse: one encoding. INVALID_ARGUMENT otherwise.
std::string ArmorStamp(const v1::ReceiptStamp& stamp);
absl::StatusOr<v1::ReceiptStamp> OpenStamp(absl::string_view text);

}  // namespace tsunagi::audit
