#include "core/audit/stamp.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/audit/merkle.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/store/key.h"

namespace tsunagi::audit {
namespace {

using store::Key;
using store::KeyReader;
using store::Table;

constexpr absl::string_view kFirstLine = "tsunagi-stamp/v1\n";
constexpr absl::string_view kBoundary = "\ntsunagi-stamp/v1\n";
constexpr size_t kMaxBlock = 128 << 10;

std::string StampKey(uint64_t size) { return Key("stamp").U64(size); }

absl::StatusOr<KeptStamp> ReadStamp(absl::string_view key, absl::string_view value) {
  KeyReader reader(key);
  RETURN_IF_ERROR(reader.Str().status());
  KeptStamp kept;
  ASSIGN_OR_RETURN(kept.size, reader.U64());
  if (!Decode(value, "kept time stamp", kept.stamp).ok()) {
    return absl::DataLossError(absl::StrCat("the kept time stamp of size ", kept.size, " cannot be read"));
  }
  return kept;
}

}  // namespace

store::Write PutStamp(const KeptStamp& kept) {
  return store::Put(Table::kState, StampKey(kept.size), Encode(kept.stamp));
}

absl::StatusOr<std::vector<KeptStamp>> StampsFrom(const store::Store& store, uint64_t size, size_t limit) {
  std::vector<KeptStamp> found;
  absl::Status read;
  RETURN_IF_ERROR(store.Scan(Table::kState, Key("stamp").bytes(), StampKey(size),
                             [&](absl::string_view key, absl::string_view value) {
                               absl::StatusOr<KeptStamp> kept = ReadStamp(key, value);
                               read = kept.status();
                               if (kept.ok()) found.push_back(*std::move(kept));
                               return read.ok() && found.size() < limit;
                             }));
  RETURN_IF_ERROR(read);
  return found;
}

absl::StatusOr<uint64_t> StampedSize(const store::Store& store, uint64_t log_size) {
  // INVARIANT: a checkpoint of `low` leaves is stamped, or `low` is 0; none of more than `high` is.
  uint64_t low = 0;
  uint64_t high = log_size;
  while (low < high) {
    const uint64_t middle = low + (high - low + 1) / 2;
    ASSIGN_OR_RETURN(const std::vector<KeptStamp> found, StampsFrom(store, middle, 1));
    if (found.empty()) {
      high = middle - 1;
    } else {
      low = found.front().size;
    }
  }
  return low;
}

absl::Status CheckCovers(const v1::ReceiptStamp& stamp, const Checkpoint& checkpoint,
                         const crypto::PublicKey& log_key) {
  const absl::StatusOr<Checkpoint> stamped =
      OpenCheckpoint(stamp.stamp().checkpoint(), checkpoint.origin, log_key);
  RETURN_IF_ERROR(Annotate(stamped.status(), "the stamped checkpoint"));
  const std::vector<Digest> proof(stamp.consistency().begin(), stamp.consistency().end());
  return Annotate(VerifyConsistency(checkpoint.size, checkpoint.root, stamped->size, stamped->root, proof),
                  "the stamped checkpoint does not cover the receipt's");
}

ReceiptFile SplitReceiptFile(absl::string_view text) {
  const size_t boundary = text.find(kBoundary);
  if (boundary == absl::string_view::npos) return {text, ""};
  return {text.substr(0, boundary + 1), text.substr(boundary + 1)};
}

std::string ArmorStamp(const v1::ReceiptStamp& stamp) {
  return absl::StrCat(kFirstLine, ToBase64(Encode(stamp)), "\n");
}

absl::StatusOr<v1::ReceiptStamp> OpenStamp(absl::string_view text) {
  if (text.size() > kMaxBlock) return absl::InvalidArgumentError("time stamp: longer than 128 KiB");
  if (!absl::ConsumePrefix(&text, kFirstLine) || !absl::ConsumeSuffix(&text, "\n")) {
    return absl::InvalidArgumentError(
        "time stamp: expected the line `tsunagi-stamp/v1`, one line of base64, and nothing more");
  }
  const absl::StatusOr<std::string> bytes = FromBase64(text);
  if (!bytes.ok()) return absl::InvalidArgumentError("time stamp: expected one line of strict base64");
  v1::ReceiptStamp stamp;
  RETURN_IF_ERROR(DecodeCanonical(*bytes, "time stamp", stamp));
  return stamp;
}

}  // namespace tsunagi::audit
