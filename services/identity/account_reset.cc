#include "services/identity/account_reset.h"

#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/store/store.h"
#include "identity/authority.h"
#include "identity/entries.h"
#include "identity/people/reset.h"
#include "identity/restore.h"

namespace tsunagi::identity {

absl::StatusOr<std::string> ResetOperatorAccount(const internal::v1::RegistrarConfig& config,
                                                 const std::string& account, const std::string& password_file,
                                                 const Clock& clock) {
  const std::string path = config.data_dir() + "/store";
  std::error_code error;
  if (!std::filesystem::exists(path + "/CURRENT", error)) {
    return absl::FailedPreconditionError(absl::StrCat("`", path, "` holds no store"));
  }
  uint64_t epoch = 0;
  internal::v1::StoredAuthority stored;
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<store::Store> store, store::OpenRocksStore(path));
    ASSIGN_OR_RETURN(epoch, LoadEpoch(*store));
    ASSIGN_OR_RETURN(stored, LoadStoredAuthority(*store));
  }
  ASSIGN_OR_RETURN(
      const Authority authority,
      LoadOrCreateAuthority(config.data_dir() + "/keys", config.federation(), clock.Now(), stored));
  return people::ResetAdministrator(
      {path, RegistrarOrigin(config.federation(), epoch), authority.log, config.data_dir() + "/sessions"},
      account, password_file, clock);
}

}  // namespace tsunagi::identity
