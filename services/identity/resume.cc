#include "services/identity/resume.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/audit/epoch.h"
#include "core/audit/journal.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/base/status_macros.h"
#include "core/store/store.h"
#include "identity/checks.h"
#include "identity/entries.h"
#include "identity/restore.h"
#include "services/identity/backup.h"
#include "services/identity/member_lists.h"
#include "services/identity/own_credentials.h"

namespace tsunagi::identity {
namespace {

namespace fs = std::filesystem;
using internal::v1::RegistrarConfig;

constexpr size_t kMaxReason = 500;

// The next store while it is made, and once it is whole.
std::string Unfinished(const std::string& data_dir) { return data_dir + "/store.unfinished"; }
std::string Whole(const std::string& data_dir) { return data_dir + "/store.next"; }
std::string InUse(const std::string& data_dir) { return data_dir + "/store"; }

absl::Status FromError(const std::error_code& error, const std::string& path) {
  if (!error) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("`", path, "`: ", error.message()));
}

// The store that was restored, opened as the registrar opens it.
struct Restored {
  std::unique_ptr<store::Store> store;
  uint64_t epoch = 1;
  std::unique_ptr<AuthorityInUse> authority;
  std::unique_ptr<audit::Journal> journal;
};

absl::StatusOr<Restored> OpenRestored(const RegistrarConfig& config, const Clock& clock, Random& random) {
  std::error_code error;
  if (!fs::exists(InUse(config.data_dir()) + "/CURRENT", error)) {
    return absl::FailedPreconditionError(absl::StrCat("`", InUse(config.data_dir()), "` holds no store"));
  }
  Restored restored;
  ASSIGN_OR_RETURN(restored.store, store::OpenRocksStore(InUse(config.data_dir())));
  ASSIGN_OR_RETURN(restored.epoch, LoadEpoch(*restored.store));
  ASSIGN_OR_RETURN(const internal::v1::StoredAuthority stored, LoadStoredAuthority(*restored.store));
  ASSIGN_OR_RETURN(Authority authority, LoadOrCreateAuthority(config.data_dir() + "/keys",
                                                              config.federation(), clock.Now(), stored));
  restored.authority = std::make_unique<AuthorityInUse>(std::move(authority));
  ASSIGN_OR_RETURN(restored.journal,
                   audit::Journal::Open(*restored.store, RegistrarOrigin(config.federation(), restored.epoch),
                                        restored.authority->Get()->log, random));
  return restored;
}

// With the registrar's own certificate and token.
absl::StatusOr<std::unique_ptr<MemberLists>> AskMembers(const RegistrarConfig& config,
                                                        const Restored& restored, const Clock& clock,
                                                        Random& random) {
  OwnCredentials credentials(config.data_dir(), {}, *restored.authority, clock, config.federation(),
                             absl::Seconds(static_cast<int64_t>(config.certificate_seconds())));
  RETURN_IF_ERROR(credentials.RenewCertificates());
  ASSIGN_OR_RETURN(const StoredParticipant self, LoadEntry(*restored.store, kRegistrarLabel));
  RETURN_IF_ERROR(credentials.WriteToken(self.participant().did()));
  ASSIGN_OR_RETURN(std::unique_ptr<MemberLists> members,
                   MemberLists::Open(*restored.journal, *restored.authority, clock, random, config.data_dir(),
                                     config.federation()));
  RETURN_IF_ERROR(members->Look());
  return members;
}

absl::Status CheckGoesOn(const MemberLists& members, bool without_members) {
  if (!members.Enough() && !without_members) {
    return absl::FailedPreconditionError(absl::StrCat("only ", members.answered().size(), " of ",
                                                      members.asked(),
                                                      " members' processes answered: run this again when "
                                                      "more can be reached, or add --without-members when "
                                                      "that will not be: what they hold is then not known"));
  }
  if (!members.newer().empty() || (!members.Enough() && without_members)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "no member holds anything newer than this store: there is nothing to resume from, start the registrar");
}

RegistrarOptions Options(const RegistrarConfig& config) {
  RegistrarOptions options;
  options.federation = config.federation();
  options.did_host = config.did_host();
  options.keys_folder = config.data_dir() + "/keys";
  options.certificate_life = absl::Seconds(static_cast<int64_t>(config.certificate_seconds()));
  options.token_life = absl::Seconds(static_cast<int64_t>(config.token_seconds()));
  return options;
}

absl::StatusOr<audit::v1::EpochRecord> MakeNext(const RegistrarConfig& config, const Restored& restored,
                                                const MemberLists& members, const std::string& reason,
                                                const Clock& clock, Random& random) {
  const audit::Checkpoint& last = members.checkpoint();
  ASSIGN_OR_RETURN(const audit::LogEpoch last_epoch, audit::ParseEpochOrigin(last.origin));
  audit::v1::EpochRecord record;
  record.set_origin(last.origin);
  record.set_size(last.size);
  record.set_root(last.root);
  record.set_held(last_epoch.epoch == restored.epoch ? std::min(last.size, restored.journal->Size()) : 0);
  record.mutable_asked()->Assign(members.answered().begin(), members.answered().end());
  record.set_reason(reason);

  const std::string path = Unfinished(config.data_dir());
  ASSIGN_OR_RETURN(const auto next, store::OpenRocksStore(path));
  RETURN_IF_ERROR(CopyKept(*restored.store, *next));
  ASSIGN_OR_RETURN(const auto journal,
                   audit::Journal::Open(*next, RegistrarOrigin(config.federation(), last_epoch.epoch + 1),
                                        restored.authority->Get()->log, random));
  return TakeOver({*journal, *restored.authority, clock, random, Options(config)}, *members.View(),
                  std::move(record));
}

// From here on the next store counts.
absl::Status Swap(const std::string& data_dir, uint64_t epoch) {
  std::error_code error;
  fs::rename(Unfinished(data_dir), Whole(data_dir), error);
  RETURN_IF_ERROR(FromError(error, Whole(data_dir)));
  std::string kept = absl::StrCat(InUse(data_dir), "-epoch-", epoch);
  for (int again = 2; fs::exists(kept, error); ++again) {
    kept = absl::StrCat(InUse(data_dir), "-epoch-", epoch, "-", again);
  }
  fs::rename(InUse(data_dir), kept, error);
  RETURN_IF_ERROR(FromError(error, kept));
  return FinishResume(data_dir);
}

}  // namespace

absl::Status FinishResume(const std::string& data_dir) {
  std::error_code error;
  fs::remove_all(Unfinished(data_dir), error);
  RETURN_IF_ERROR(FromError(error, Unfinished(data_dir)));
  if (!fs::exists(Whole(data_dir), error)) return absl::OkStatus();
  if (fs::exists(InUse(data_dir), error)) {
    // The rename of the one before had not come: it is still the one that counts.
    fs::remove_all(Whole(data_dir), error);
    return FromError(error, Whole(data_dir));
  }
  fs::rename(Whole(data_dir), InUse(data_dir), error);
  RETURN_IF_ERROR(FromError(error, InUse(data_dir)));
  fs::remove(absl::StrCat(data_dir, "/", kBackupNote), error);
  return FromError(error, absl::StrCat(data_dir, "/", kBackupNote));
}

absl::StatusOr<audit::v1::EpochRecord> ResumeAfterRestore(const RegistrarConfig& config,
                                                          const ResumeOptions& options, const Clock& clock) {
  RETURN_IF_ERROR(CheckText("reason", options.reason, kMaxReason, /*required=*/true));
  RETURN_IF_ERROR(FinishResume(config.data_dir()));
  SystemRandom random;
  uint64_t epoch = 0;
  audit::v1::EpochRecord record;
  {
    ASSIGN_OR_RETURN(const Restored restored, OpenRestored(config, clock, random));
    ASSIGN_OR_RETURN(const auto members, AskMembers(config, restored, clock, random));
    RETURN_IF_ERROR(CheckGoesOn(*members, options.without_members));
    epoch = restored.epoch;
    ASSIGN_OR_RETURN(record, MakeNext(config, restored, *members, options.reason, clock, random));
  }
  RETURN_IF_ERROR(Swap(config.data_dir(), epoch));
  log::Warning("resumed after a restore", {{"origin_before", record.origin()},
                                           {"leaves_known", absl::StrCat(record.size())},
                                           {"leaves_held", absl::StrCat(record.held())},
                                           {"asked", absl::StrJoin(record.asked(), " ")}});
  return record;
}

}  // namespace tsunagi::identity
