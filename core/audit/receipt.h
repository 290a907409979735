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

namespace tsunagi::audit {

// OK when the record and salt are leaf `leaf_index` of the log `origin` under its key, at the checkpoint
// inside. Returns that checkpoint. DATA_LOSS naming what does not fit.
absl::StatusOr<Checkpoint> VerifyLogProof(const v1::LogProof& proof, absl::string_view origin,
                                          const crypto::PublicKey& log_key);

// The text of a receipt file, and its strict reverse: any byte changed is INVALID_ARGUMENT or a failed check.
std::string ArmorReceipt(const v1::Receipt& receipt);
absl::StatusOr<v1::Receipt> OpenReceipt(absl::string_view text);

}  // namespace tsunagi::audit
