#include "passport/records/eraser.h"

#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/audit/actor.h"
#include "core/audit/requests.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "passport/records/attempts.h"
#include "passport/records/batch.h"
#include "passport/records/history.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::passport {
namespace {

using store::Table;

// What an erasure deletes and leaves behind.
struct Erasure {
  std::set<std::string> deleted;     // keys of table PERSON
  std::set<std::string> tombstones;  // keys of table STATE
  std::set<std::string> heads;       // head keys: read by the decision, changed by the commit
  std::set<ErasedPart> listed;
  uint64_t parts = 0;
};

absl::Status CheckReason(const std::string& reason, const std::optional<VehicleIdentifier>& vehicle) {
  const bool length_fits = !reason.empty() && reason.size() <= 512;
  if (!length_fits)
    return InvalidArgument({"REASON_WRONG", "reason", "", "1 to 512 bytes: why the parts are erased"});
  for (const absl::string_view word :
       absl::StrSplit(reason, absl::ByAnyChar(" \t,;:()"), absl::SkipEmpty())) {
    const absl::StatusOr<VehicleIdentifier> named = VehicleIdentifier::Parse(word);
    if (vehicle && named.ok() && *named == *vehicle) {
      return InvalidArgument(
          {"REASON_WRONG", "reason", "(not shown)", "a reason without the vehicle's identifier"});
    }
  }
  return absl::OkStatus();
}

// Adds one part of an event: it, the look-up keys of every vehicle in it, and its tombstones.
void AddPart(const RecordContext& context, const KeptEvent& event, uint32_t slot, Erasure& erasure) {
  const v1::PartKind kind = event.stored.slots(static_cast<int>(slot)).kind();
  const v1::EventHeader& header = event.header;
  for (const VerifiedPart& part : event.parts) {
    if (part.kind != kind || part.erased) continue;
    if (!erasure.deleted.insert(PartKey(header.subject(), header.author(), header.sequence(), slot)).second)
      return;
    for (const std::string& text : PointedAt(kind, part.content)) {
      erasure.tombstones.insert(TombstoneKey(context.secrets, header, kind, text));
      const absl::StatusOr<VehicleIdentifier> vehicle = VehicleIdentifier::Parse(text);
      if (kind != v1::PART_KIND_VEHICLE || !vehicle.ok()) continue;
      erasure.heads.insert(VehicleHeadKey(context.secrets, *vehicle));
      erasure.deleted.insert(
          VehicleKey(context.secrets, *vehicle, header.subject(), header.sequence(), slot));
    }
    erasure.heads.insert(HeadKey(header.subject()));
    erasure.listed.insert({event.stored.digest(), slot});
    ++erasure.parts;
  }
}

absl::StatusOr<Erasure> PlanVehicle(const RecordContext& context, const VehicleIdentifier& vehicle) {
  Erasure erasure;
  erasure.heads.insert(VehicleHeadKey(context.secrets, vehicle));
  const store::Store& store = context.journal.store();
  ASSIGN_OR_RETURN(const std::vector<VehicleEntry> entries, FindVehicle(store, context.secrets, vehicle));
  for (const VehicleEntry& entry : entries) {
    ASSIGN_OR_RETURN(const KeptEvent event,
                     ReadEvent(store, EventKey(entry.battery, context.did, entry.sequence)));
    if (entry.slot < static_cast<uint32_t>(event.stored.slots_size()))
      AddPart(context, event, entry.slot, erasure);
  }
  return erasure;
}

absl::StatusOr<Erasure> PlanBattery(const RecordContext& context, const BatteryId& battery) {
  RETURN_IF_ERROR(CheckBatteryId(battery, "subject.battery"));
  Erasure erasure;
  erasure.heads.insert(HeadKey(battery));
  ASSIGN_OR_RETURN(const std::vector<KeptEvent> history, ReadHistory(context.journal.store(), battery));
  for (const KeptEvent& event : history) {
    for (int slot = 0; slot < event.stored.slots_size(); ++slot) {
      if (event.stored.slots(slot).erasable()) AddPart(context, event, static_cast<uint32_t>(slot), erasure);
    }
  }
  return erasure;
}

// `caller` is null when the node erases by itself.
audit::Commit CommitOf(const RecordContext& context, const Erasure& erasure, const std::string& reason,
                       const Caller* caller) {
  audit::Commit commit;
  for (const std::string& key : erasure.deleted) commit.writes.push_back(store::Delete(Table::kPerson, key));
  for (const std::string& key : erasure.tombstones)
    commit.writes.push_back(store::Put(Table::kState, key, ""));
  for (const std::string& head : erasure.heads) commit.writes.push_back(Touch(head));
  commit.reads.assign(erasure.heads.begin(), erasure.heads.end());
  audit::v1::Record record;
  *record.mutable_time() = ToProto(context.clock.Now());
  std::set<crypto::Digest> events;
  for (const ErasedPart& part : erasure.listed) events.insert(part.first);
  for (const crypto::Digest& digest : events) record.mutable_erasure()->add_event_digests(digest);
  record.mutable_erasure()->set_reason(reason);
  if (caller != nullptr) audit::NameActor(*caller, record);
  commit.record = Encode(record);
  return commit;
}

absl::Status SubmitAndWait(audit::Journal& journal, audit::Commit commit) {
  auto done = std::make_shared<std::promise<absl::Status>>();
  std::future<absl::Status> result = done->get_future();
  journal.SubmitErasure(std::move(commit), [done](const absl::StatusOr<audit::Committed>& committed) {
    done->set_value(committed.status());
  });
  return result.get();
}

// How many entries of the list the store has applied.
absl::StatusOr<uint64_t> KnownErasures(const store::Store& store) {
  const absl::StatusOr<std::string> stored = store.Get(Table::kState, ErasuresKey());
  if (absl::IsNotFound(stored.status())) return 0;
  RETURN_IF_ERROR(stored.status());
  uint64_t known = 0;
  if (!absl::SimpleAtoi(*stored, &known)) return absl::DataLossError("the count of erasures cannot be read");
  return known;
}

store::Write KnowErasures(uint64_t count) {
  return store::Put(Table::kState, ErasuresKey(), absl::StrCat(count));
}

absl::StatusOr<Erasure> PlanListed(const RecordContext& context, const std::set<ErasedPart>& listed) {
  std::vector<std::pair<std::string, uint32_t>> found;
  RETURN_IF_ERROR(context.journal.store().Scan(
      Table::kState, EventsPrefix(), "", [&](absl::string_view key, absl::string_view value) {
        internal::v1::StoredEvent stored;
        if (!Decode(value, "stored event", stored).ok()) return true;
        for (auto it = listed.lower_bound({stored.digest(), 0});
             it != listed.end() && it->first == stored.digest(); ++it) {
          found.push_back({std::string(key), it->second});
        }
        return true;
      }));
  Erasure erasure;
  for (const auto& [key, slot] : found) {
    ASSIGN_OR_RETURN(const KeptEvent event, ReadEvent(context.journal.store(), key));
    if (slot < static_cast<uint32_t>(event.stored.slots_size())) AddPart(context, event, slot, erasure);
  }
  return erasure;
}

}  // namespace

absl::Status RecordEraser::EraseAgain() {
  ASSIGN_OR_RETURN(const uint64_t known, KnownErasures(context_.journal.store()));
  const uint64_t listed = list_.size();
  if (listed < known) {
    log::Warning("the list of erasures has lost entries: put the newest copy back",
                 {{"listed", absl::StrCat(listed)}, {"known", absl::StrCat(known)}});
  }
  if (listed <= known) return absl::OkStatus();
  const audit::ReadVersion version = context_.journal.Version();
  ASSIGN_OR_RETURN(const std::set<ErasedPart> later, list_.After(known));
  ASSIGN_OR_RETURN(const Erasure erasure, PlanListed(context_, later));
  audit::Commit commit;
  if (erasure.parts > 0)
    commit = CommitOf(context_, erasure, "erased before the store was restored", nullptr);
  commit.version = version;
  commit.writes.push_back(KnowErasures(listed));
  RETURN_IF_ERROR(SubmitAndWait(context_.journal, std::move(commit)));
  log::Info("erasures applied again", {{"parts", absl::StrCat(erasure.parts)}});
  return absl::OkStatus();
}

absl::StatusOr<v1::ErasePartsResponse> RecordEraser::EraseParts(const Caller& caller,
                                                                const v1::ErasePartsRequest& request) {
  std::optional<VehicleIdentifier> vehicle;
  if (!request.subject().has_battery()) {
    ASSIGN_OR_RETURN(vehicle, VehicleIdentifier::Parse(request.subject().vehicle()));
  }
  RETURN_IF_ERROR(CheckReason(request.reason(), vehicle));
  const audit::RequestKey key{caller.did(), "EraseParts", request.request_id(),
                              crypto::HmacSha256(context_.secrets.request, {Encode(request)})};
  return UntilNoConflict([&] { return TryErase(caller, key, request, vehicle); });
}

absl::StatusOr<v1::ErasePartsResponse> RecordEraser::TryErase(
    const Caller& caller, const audit::RequestKey& key, const v1::ErasePartsRequest& request,
    const std::optional<VehicleIdentifier>& vehicle) {
  const audit::ReadVersion version = context_.journal.Version();
  v1::ErasePartsResponse response;
  ASSIGN_OR_RETURN(const std::optional<std::string> reply, audit::FindReply(context_.journal.store(), key));
  if (reply) {
    if (!Decode(*reply, "stored reply", response).ok())
      return absl::DataLossError("the store holds a damaged reply");
    return response;
  }
  ASSIGN_OR_RETURN(const Erasure erasure, vehicle ? PlanVehicle(context_, *vehicle)
                                                  : PlanBattery(context_, request.subject().battery()));
  response.set_erased(erasure.parts);
  if (erasure.parts == 0) return response;
  // First, so that no erasure that was acknowledged is missing there.
  ASSIGN_OR_RETURN(const uint64_t listed, list_.Add(erasure.listed));
  audit::Commit commit = CommitOf(context_, erasure, request.reason(), &caller);
  commit.writes.push_back(KnowErasures(listed));
  commit.version = version;
  commit.reads.push_back(audit::StoredRequestKey(key));
  audit::RememberReply(key, Encode(response), context_.clock.Now(), commit.writes);
  RETURN_IF_ERROR(SubmitAndWait(context_.journal, std::move(commit)));
  return response;
}

}  // namespace tsunagi::passport
