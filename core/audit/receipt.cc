#include "core/audit/receipt.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/audit/journal.h"
#include "core/audit/log_table.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"

namespace tsunagi::audit {
namespace {

constexpr absl::string_view kFirstLine = "tsunagi-receipt/v1\n";
constexpr size_t kMaxReceiptBytes = size_t{16} << 20;

}  // namespace

absl::StatusOr<Checkpoint> VerifyLogProof(const v1::LogProof& proof, absl::string_view origin,
                                          const crypto::PublicKey& log_key) {
  if (proof.salt().size() != kSaltSize) return absl::DataLossError("log proof: expected a salt of 16 bytes");
  ASSIGN_OR_RETURN(Checkpoint checkpoint, OpenCheckpoint(proof.checkpoint(), origin, log_key));
  const Digest leaf_hash = LeafHash(Commitment(proof.salt(), proof.record()));
  const std::vector<Digest> path(proof.path().begin(), proof.path().end());
  RETURN_IF_ERROR(VerifyInclusion(leaf_hash, proof.leaf_index(), checkpoint.size, path, checkpoint.root));
  return checkpoint;
}

absl::StatusOr<v1::Receipt> ReceiptOfRecord(const v1::LogProof& proof,
                                            const google::protobuf::RepeatedPtrField<std::string>& contents,
                                            uint32_t index) {
  if (index >= static_cast<uint32_t>(contents.size())) {
    return InvalidArgument({"RECORD_MISSING", "index", absl::StrCat(index),
                            absl::StrCat("less than the ", contents.size(), " records of the chunk")});
  }
  std::vector<Digest> leaves;
  for (const std::string& content : contents) leaves.push_back(LeafHash(content));
  v1::Receipt receipt;
  *receipt.mutable_proof() = proof;
  receipt.set_content(contents[static_cast<int>(index)]);
  receipt.set_record_index(index);
  for (const Digest& digest : InclusionPath(leaves, index)) receipt.add_record_path(digest);
  return receipt;
}

absl::Status VerifyRecordOfChunk(const v1::Receipt& receipt, const v1::ChunkRecord& chunk) {
  const std::vector<Digest> path(receipt.record_path().begin(), receipt.record_path().end());
  return VerifyInclusion(LeafHash(receipt.content()), receipt.record_index(), chunk.record_count(), path,
                         chunk.merkle_root());
}

std::string ArmorReceipt(const v1::Receipt& receipt) {
  return absl::StrCat(kFirstLine, ToBase64(Encode(receipt)), "\n");
}

absl::StatusOr<v1::Receipt> OpenReceipt(absl::string_view text) {
  if (text.size() > kMaxReceiptBytes) return absl::InvalidArgumentError("receipt: longer than 16 MiB");
  if (!absl::ConsumePrefix(&text, kFirstLine)) {
    return absl::InvalidArgumentError("receipt: expected the first line `tsunagi-receipt/v1`");
  }
  if (!absl::ConsumeSuffix(&text, "\n"))
    return absl::InvalidArgumentError("receipt: expected a line feed at the end");
  const absl::StatusOr<std::string> bytes = FromBase64(text);
  if (!bytes.ok()) return absl::InvalidArgumentError("receipt: expected one line of strict base64");
  v1::Receipt receipt;
  RETURN_IF_ERROR(DecodeCanonical(*bytes, "receipt", receipt));
  return receipt;
}

}  // namespace tsunagi::audit
