// The keys of a process and of its participant: one per purpose, made when missing.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/base/random.h"
#include "core/crypto/key.h"

namespace tsunagi::process {

struct Keys {
  crypto::PrivateKey tls;      // P-256, this process's: <data_dir>/tls.key
  crypto::PrivateKey log;      // Ed25519, this process's: <data_dir>/log.key
  crypto::PrivateKey signing;  // P-256, the participant's: <shared_dir>/signing.key
  std::string seal;            // 32 bytes, the participant's: <shared_dir>/seal.key
  std::string node;            // 32 bytes, the participant's: <shared_dir>/node.key
};

// Creates the folders (mode 0700, also where they existed) and the keys that are missing (mode 0600).
// Processes of one participant may start at once: the shared folder is locked meanwhile. FAILED_PRECONDITION
// when others can read a key; DATA_LOSS when a key file is damaged.
absl::StatusOr<Keys> LoadKeys(const std::string& data_dir, const std::string& shared_dir, Random& random);

// Makes a new signing key for the participant and keeps the one before as <shared_dir>/signing-<key id>.key.
// The id of the new one. Its processes sign with it, and list it, from their next start on.
absl::StatusOr<std::string> RotateSigningKey(const std::string& shared_dir);

}  // namespace tsunagi::process
