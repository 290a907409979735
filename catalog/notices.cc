#include "catalog/notices.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/audit/requests.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/store/key.h"
#include "passport/model/identifiers.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::catalog {
namespace {

using store::Table;

constexpr absl::string_view kFileMethod = "/tsunagi.catalog.v1.CatalogService/FileNotices";
constexpr int kMaxNotices = 1000;
constexpr uint64_t kMaxNoticesOfHolder = 100000;
constexpr int kMaxViewers = 100;
constexpr size_t kMaxRoleBytes = 64;
constexpr int kAttempts = 5;

std::string NoticePrefix(absl::string_view serial) { return store::Key("notice").Str(serial); }
std::string NoticeKey(absl::string_view serial, absl::string_view holder) {
  return store::Key("notice").Str(serial).Str(holder);
}
std::string CountKey(absl::string_view holder) { return store::Key("notice-count").Str(holder); }

absl::Status NothingToSee() { return absl::NotFoundError("not found"); }

absl::StatusOr<bool> Has(const store::Store& store, const std::string& key) {
  const absl::Status got = store.Get(Table::kState, key).status();
  if (absl::IsNotFound(got)) return false;
  RETURN_IF_ERROR(got);
  return true;
}

absl::StatusOr<uint64_t> CountOf(const store::Store& store, absl::string_view holder) {
  const absl::StatusOr<std::string> stored = store.Get(Table::kState, CountKey(holder));
  if (absl::IsNotFound(stored.status())) return 0;
  RETURN_IF_ERROR(stored.status());
  uint64_t count = 0;
  if (!absl::SimpleAtoi(*stored, &count))
    return absl::DataLossError("a stored count of notices cannot be read");
  return count;
}

absl::Status CheckSections(const v1::HolderNotice& notice) {
  if (notice.sections().empty() && !notice.withdrawn()) {
    return InvalidArgument({"SECTIONS_MISSING", "notices.sections", "", "at least one section"});
  }
  std::vector<int> sections(notice.sections().begin(), notice.sections().end());
  std::sort(sections.begin(), sections.end());
  const bool repeated = std::adjacent_find(sections.begin(), sections.end()) != sections.end();
  for (const int section : sections) {
    if (!common::v1::Section_IsValid(section) || section == common::v1::SECTION_UNSPECIFIED ||
        section == common::v1::SECTION_LOOKUP || repeated) {
      return InvalidArgument({"SECTION_INVALID", "notices.sections", absl::StrCat(section),
                              "each section of a passport at most once"});
    }
  }
  return absl::OkStatus();
}

absl::Status CheckViewers(const v1::HolderNotice& notice) {
  if (notice.visible_to_parties_size() > kMaxViewers || notice.visible_to_roles_size() > kMaxViewers) {
    return InvalidArgument(
        {"TOO_MANY_VIEWERS", "notices.visible_to_parties",
         absl::StrCat(std::max(notice.visible_to_parties_size(), notice.visible_to_roles_size())),
         "at most 100 parties and 100 roles"});
  }
  for (const std::string& party : notice.visible_to_parties()) {
    if (!Did::Parse(party).ok()) {
      return InvalidArgument({"DID_INVALID", "notices.visible_to_parties", party,
                              "a DID such as `did:web:registrar.example:participants:dealer`"});
    }
  }
  for (const std::string& role : notice.visible_to_roles()) {
    if (role.empty() || role.size() > kMaxRoleBytes) {
      return InvalidArgument(
          {"ROLE_INVALID", "notices.visible_to_roles", role, "a role of 1 to 64 characters"});
    }
  }
  return absl::OkStatus();
}

// What is kept: the key says of which battery and by whom.
std::string StoredNotice(const v1::HolderNotice& notice) {
  v1::HolderNotice stored = notice;
  stored.clear_battery();
  return Encode(stored);
}

bool MaySee(const Caller& caller, absl::string_view holder, const v1::HolderNotice& notice) {
  if (caller.did() == holder) return true;
  const auto& parties = notice.visible_to_parties();
  if (std::find(parties.begin(), parties.end(), caller.did()) != parties.end()) return true;
  const auto& roles = notice.visible_to_roles();
  return std::any_of(roles.begin(), roles.end(),
                     [&](const std::string& role) { return caller.HasRole(role); });
}

audit::v1::Record RecordOf(const Caller& caller, const v1::FileNoticesRequest& request, absl::Time now) {
  audit::v1::Record record;
  *record.mutable_time() = ToProto(now);
  record.mutable_notice()->set_holder(caller.did());
  record.mutable_notice()->set_count(static_cast<uint64_t>(request.notices_size()));
  return record;
}

audit::v1::Record RecordOf(const Caller& caller, const common::v1::BatteryId& battery,
                           const v1::FindHoldersResponse& told, absl::Time now) {
  audit::v1::Record record;
  *record.mutable_time() = ToProto(now);
  record.mutable_holders()->set_caller(caller.did());
  *record.mutable_holders()->mutable_battery() = battery;
  for (const v1::Holder& holder : told.holders()) record.mutable_holders()->add_holders(holder.participant());
  return record;
}

}  // namespace

// One attempt to file: what it read and will write.
struct Notices::Filing {
  absl::string_view holder;
  audit::Commit commit;
  uint64_t count = 0;  // notices of the holder
};

Notices::Notices(audit::Journal& journal, const identity::TrustStore& trust, std::string own_did,
                 const Clock& clock, audit::DenialLog& denials)
    : journal_(journal), trust_(trust), own_did_(std::move(own_did)), clock_(clock), denials_(denials) {}

absl::Status Notices::Check(const v1::FileNoticesRequest& request) const {
  if (request.notices().empty() || request.notices_size() > kMaxNotices) {
    return InvalidArgument({"NOTICES_COUNT", "notices", absl::StrCat(request.notices_size()),
                            "1 to 1,000 notices in a request"});
  }
  for (const v1::HolderNotice& notice : request.notices()) RETURN_IF_ERROR(Check(notice));
  return absl::OkStatus();
}

absl::Status Notices::Check(const v1::HolderNotice& notice) const {
  RETURN_IF_ERROR(passport::CheckBatteryId(notice.battery(), "notices.battery"));
  if (notice.battery().manufacturer() != own_did_) {
    return InvalidArgument({"OTHER_MANUFACTURER", "notices.battery.manufacturer",
                            notice.battery().manufacturer(),
                            absl::StrCat("`", own_did_, "`, which runs this catalog")});
  }
  RETURN_IF_ERROR(CheckSections(notice));
  return CheckViewers(notice);
}

absl::StatusOr<v1::FileNoticesResponse> Notices::File(const Caller& caller,
                                                      const v1::FileNoticesRequest& request) {
  RETURN_IF_ERROR(Check(request));
  // All requests of a holder change its count: at once they would only abort each other, some for ever.
  MutexLock turn(turns_[absl::HashOf(caller.did()) % turns_.size()]);
  absl::StatusOr<v1::FileNoticesResponse> filed = FileOnce(caller, request);
  for (int attempt = 1; attempt < kAttempts && absl::IsAborted(filed.status()); ++attempt) {
    filed = FileOnce(caller, request);
  }
  return filed;
}

absl::StatusOr<v1::FileNoticesResponse> Notices::FileOnce(const Caller& caller,
                                                          const v1::FileNoticesRequest& request) {
  const audit::RequestKey key{caller.did(), kFileMethod, request.request_id(),
                              crypto::Sha256(Encode(request))};
  Filing filing{caller.did(), {}, 0};
  filing.commit.version = journal_.Version();
  ASSIGN_OR_RETURN(const std::optional<std::string> earlier, audit::FindReply(journal_.store(), key));
  if (earlier.has_value()) return v1::FileNoticesResponse();
  RETURN_IF_ERROR(AddNotices(request, filing));
  const absl::Time now = clock_.Now();
  filing.commit.reads = {audit::StoredRequestKey(key), CountKey(caller.did())};
  audit::RememberReply(key, "", now, filing.commit.writes);
  filing.commit.record = Encode(RecordOf(caller, request, now));
  RETURN_IF_ERROR(journal_.SubmitAndWait(std::move(filing.commit)).status());
  return v1::FileNoticesResponse();
}

// The count is among the reads: two requests of one holder never pass each other.
absl::Status Notices::AddNotices(const v1::FileNoticesRequest& request, Filing& filing) const {
  ASSIGN_OR_RETURN(filing.count, CountOf(journal_.store(), filing.holder));
  absl::flat_hash_map<std::string, bool> exists;
  for (const v1::HolderNotice& notice : request.notices()) {
    std::string key = NoticeKey(notice.battery().serial(), filing.holder);
    if (!exists.contains(key)) {
      ASSIGN_OR_RETURN(exists[key], Has(journal_.store(), key));
    }
    const bool was_there = std::exchange(exists[key], !notice.withdrawn());
    if (!was_there && !notice.withdrawn()) ++filing.count;
    if (was_there && notice.withdrawn()) --filing.count;
    filing.commit.writes.push_back(notice.withdrawn()
                                       ? store::Delete(Table::kState, std::move(key))
                                       : store::Put(Table::kState, std::move(key), StoredNotice(notice)));
  }
  if (filing.count > kMaxNoticesOfHolder) {
    return absl::ResourceExhaustedError(
        "a holder may have at most 100,000 notices in a catalog: withdraw some");
  }
  filing.commit.writes.push_back(
      store::Put(Table::kState, CountKey(filing.holder), absl::StrCat(filing.count)));
  return absl::OkStatus();
}

void Notices::Find(const Caller& caller, const v1::FindHoldersRequest& request, Found found) {
  const absl::Status valid = passport::CheckBatteryId(request.battery(), "battery");
  if (!valid.ok()) return found(valid);
  absl::StatusOr<v1::FindHoldersResponse> visible = Visible(caller, request.battery());
  if (absl::IsNotFound(visible.status())) denials_.Count(caller.did());
  if (!visible.ok()) return found(visible.status());
  audit::Commit commit;
  commit.version = journal_.Version();
  commit.record = Encode(RecordOf(caller, request.battery(), *visible, clock_.Now()));
  journal_.Submit(std::move(commit), [found = std::move(found), response = *std::move(visible)](
                                         absl::StatusOr<audit::Committed> committed) mutable {
    if (!committed.ok()) return found(committed.status());
    found(std::move(response));
  });
}

// What the notices about the battery tell the caller. NOT_FOUND when that is nothing.
absl::StatusOr<v1::FindHoldersResponse> Notices::Visible(const Caller& caller,
                                                         const common::v1::BatteryId& battery) const {
  if (battery.manufacturer() != own_did_) return NothingToSee();
  const std::shared_ptr<const identity::TrustView> view = trust_.View();
  v1::FindHoldersResponse response;
  absl::Status damage;
  const auto visit = [&](absl::string_view key, absl::string_view value) {
    store::KeyReader reader(key.substr(NoticePrefix(battery.serial()).size()));
    const absl::StatusOr<std::string> holder = reader.Str();
    v1::HolderNotice notice;
    damage = holder.status();
    if (damage.ok()) damage = Decode(value, "stored notice", notice);
    if (!damage.ok()) return false;
    if (!MaySee(caller, *holder, notice) || view->IsSuspended(*holder) || !view->by_did.contains(*holder))
      return true;
    v1::Holder& found = *response.add_holders();
    found.set_participant(*holder);
    *found.mutable_sections() = notice.sections();
    return true;
  };
  RETURN_IF_ERROR(journal_.store().Scan(Table::kState, NoticePrefix(battery.serial()), "", visit));
  if (!damage.ok()) return absl::DataLossError("a stored notice cannot be read");
  if (response.holders().empty()) return NothingToSee();
  return response;
}

}  // namespace tsunagi::catalog
