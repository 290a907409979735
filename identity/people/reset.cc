#include "identity/people/reset.h"

#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audit/journal.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/random.h"
#include "core/base/status_macros.h"
#include "core/store/store.h"
#include "identity/people/people.h"

namespace tsunagi::people {
namespace {

constexpr size_t kPasswordBytes = 15;  // 20 characters of base64url

absl::StatusOr<std::string> Reset(const StoppedProcess& process, store::Store& store,
                                  const std::string& account, const std::string& password, const Clock& clock,
                                  Random& random, crypto::PasswordCost cost) {
  ASSIGN_OR_RETURN(const std::unique_ptr<audit::Journal> journal,
                   audit::Journal::Open(store, process.origin, process.log_key, random));
  SessionTable sessions(clock);
  ASSIGN_OR_RETURN(const std::unique_ptr<People> people,
                   People::Open(*journal, clock, random, sessions, process.session_file, cost));
  return people->accounts().ResetPassword(account, password);
}

}  // namespace

absl::StatusOr<std::string> ResetAdministrator(const StoppedProcess& process, const std::string& account,
                                               const std::string& password_file, const Clock& clock,
                                               crypto::PasswordCost cost) {
  std::error_code error;
  if (!std::filesystem::exists(process.store + "/CURRENT", error)) {
    return absl::FailedPreconditionError(absl::StrCat("`", process.store, "` holds no store"));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<store::Store> store, store::OpenRocksStore(process.store));
  SystemRandom random;
  const std::string password = ToBase64Url(random.Bytes(kPasswordBytes));
  // First, so that no password is set that nobody has.
  RETURN_IF_ERROR(WriteNewFile(password_file, password + "\n", 0600));
  absl::StatusOr<std::string> reset = Reset(process, *store, account, password, clock, random, cost);
  if (!reset.ok()) std::filesystem::remove(password_file, error);
  return reset;
}

}  // namespace tsunagi::people
