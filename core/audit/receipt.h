// 提供証明: verification of proofs and receipts without network.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/audit/checkpoint.h"
#include "core/crypto/certificate.h"
#include "core/crypto/key.h"
#include "tsunagi/audit/v1/proof.pb.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::audit {

// OK when the record and salt are leaf `leaf_index` of the log `origin` under its key, at the checkpoint
// inside. Returns that checkpoint. DATA_LOSS naming what does not fit.
absl::StatusOr<Checkpoint> VerifyLogProof(const v1::LogProof& proof, absl::string_view origin,
                                          const crypto::PublicKey& log_key);

// The receipt of record `index` of a chunk of a stream, whose `contents` and `proof` came together. The
// caller adds the signed entries and the directory's chain. INVALID_ARGUMENT when the chunk has no such
// record.
absl::StatusOr<v1::Receipt> ReceiptOfRecord(const v1::LogProof& proof,
                                            const google::protobuf::RepeatedPtrField<std::string>& contents,
                                            uint32_t index);

// OK when the content is the record of the chunk that the receipt says. DATA_LOSS otherwise.
absl::Status VerifyRecordOfChunk(const v1::Receipt& receipt, const v1::ChunkRecord& chunk);

// The text of a receipt file, and its strict reverse: any byte changed is INVALID_ARGUMENT or a failed check.
std::string ArmorReceipt(const v1::Receipt& receipt);
absl::StatusOr<v1::Receipt> OpenReceipt(absl::string_view text);

}  // namespace tsunagi::audit
