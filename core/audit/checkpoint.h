// C2SP signed notes, checkpoints and cosignatures (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/crypto/digest.h"
#include "core/crypto/key.h"

namespace tsunagi::audit {

// What a checkpoint states: origin, size, root.
struct Checkpoint {
  std::string origin;
  uint64_t size = 0;
  crypto::Digest root;
};

// A signed note: body, blank line, signature lines of the log key (Ed25519).
std::string SignCheckpoint(const Checkpoint& checkpoint, const crypto::PrivateKey& log_key);

// Parses the note and checks the log's signature line under `log_key`, whose name must be `origin`. DATA_LOSS
// when the body, any line, a lax base64 or the signature is wrong, or a line under the same name and key id
// is repeated.
absl::StatusOr<Checkpoint> OpenCheckpoint(absl::string_view note, absl::string_view origin,
                                          const crypto::PublicKey& log_key);

// Adds a cosignature/v1 line of `witness_name` with the time (whole seconds).
absl::StatusOr<std::string> Cosign(absl::string_view note, absl::string_view witness_name,
                                   const crypto::PrivateKey& witness_key, absl::Time time);

// Time of the cosignature of `witness_name` on the note. NOT_FOUND when it has none, DATA_LOSS when it is
// wrong.
absl::StatusOr<absl::Time> CosignatureTime(absl::string_view note, absl::string_view witness_name,
                                           const crypto::PublicKey& witness_key);

// Number of signature lines: verifiers of receipts check that each one was checked.
absl::StatusOr<int> SignatureLineCount(absl::string_view note);

}  // namespace tsunagi::audit
