// A copy of a registrar's folder, made while it runs or is stopped.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::identity {

// A copy carries a file of this name: as long as it lies in data_dir, what was restored was not compared with
// what members hold.
inline constexpr absl::string_view kBackupNote = "backup";

struct BackupReport {
  std::vector<std::string> copied_keys;    // names of key files, which are secret
  std::vector<std::string> hardware_keys;  // names of those whose files only say where the key is
};

// Copies store, keys and the operator's invitation of `config` into the new folder `to` (mode 0700, keys
// and invitation 0600); the file `backup` comes last, so that a copy without it is not whole. The store is
// that of one instant. Blocks.
//   ALREADY_EXISTS       `to` exists
//   FAILED_PRECONDITION  there is nothing to copy, or another backup is under way
absl::StatusOr<BackupReport> BackUp(const internal::v1::RegistrarConfig& config, const std::string& to,
                                    const Clock& clock);

}  // namespace tsunagi::identity
