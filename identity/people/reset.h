// Recovery of an administrator who forgot the password, with the process stopped (ADR 0013, 0017).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/clock.h"
#include "core/crypto/key.h"
#include "core/crypto/password.h"

namespace tsunagi::people {

// Where the people of a stopped process lie.
struct StoppedProcess {
  std::string store;   // folder of its store
  std::string origin;  // of its log
  crypto::PrivateKey log_key;
  std::string session_file;  // what the participant's other processes follow
};

// Writes a one-time password for administrator `account`, or the only one when empty, into the new file
// `password_file` (mode 0600), with a leaf that says so; ends the account's sessions. See
// Accounts::ResetPassword. The account's id. Blocks.
//   FAILED_PRECONDITION  the process runs; there is no store, or no such administrator
//   ALREADY_EXISTS       the file exists
absl::StatusOr<std::string> ResetAdministrator(const StoppedProcess& process, const std::string& account,
                                               const std::string& password_file, const Clock& clock,
                                               crypto::PasswordCost cost = {});

}  // namespace tsunagi::people
