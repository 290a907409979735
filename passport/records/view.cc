#include "passport/records/view.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/actor.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/evidence_keys.h"
#include "passport/model/fold.h"
#include "passport/records/history.h"

namespace tsunagi::passport {
namespace {

using store::Table;

absl::StatusOr<BatteryId> Only(std::vector<BatteryId> batteries, absl::string_view what,
                               absl::string_view several) {
  if (batteries.empty()) return absl::NotFoundError(absl::StrCat(what, " is not known here"));
  if (batteries.size() > 1) return absl::FailedPreconditionError(absl::StrCat(what, several));
  return std::move(batteries.front());
}

absl::StatusOr<BatteryId> BySerial(const RecordContext& context, const BatteryId& asked) {
  if (!asked.manufacturer().empty()) {
    RETURN_IF_ERROR(CheckBatteryId(asked, "subject.battery"));
    return asked;
  }
  ASSIGN_OR_RETURN(const BatterySerial serial,
                   BatterySerial::Parse(asked.serial(), "subject.battery.serial"));
  std::vector<BatteryId> batteries;
  absl::Status damaged;
  RETURN_IF_ERROR(context.journal.store().Scan(Table::kState, SerialPrefix(serial.text()), "",
                                               [&](absl::string_view key, absl::string_view) {
                                                 absl::StatusOr<BatteryId> battery = ParseSerialKey(key);
                                                 damaged.Update(battery.status());
                                                 if (battery.ok()) batteries.push_back(*std::move(battery));
                                                 return damaged.ok();
                                               }));
  RETURN_IF_ERROR(damaged);
  return Only(std::move(batteries), absl::StrCat("battery `", serial.text(), "`"),
              " is a serial of several manufacturers: name the manufacturer's DID");
}

// The battery that this participant mounted on the vehicle, or took off it, last; nothing when it never did.
absl::StatusOr<std::vector<BatteryId>> LastOn(const RecordContext& context,
                                              const VehicleIdentifier& vehicle) {
  const store::Store& store = context.journal.store();
  ASSIGN_OR_RETURN(const std::vector<VehicleEntry> entries, FindVehicle(store, context.secrets, vehicle));
  std::vector<BatteryId> last;
  absl::Time latest = absl::InfinitePast();
  for (const VehicleEntry& entry : entries) {
    ASSIGN_OR_RETURN(const KeptEvent event,
                     ReadEvent(store, EventKey(entry.battery, context.did, entry.sequence)));
    const absl::Time time = FromProto(event.header.occurred_at()).value_or(absl::InfinitePast());
    if (time < latest) continue;
    latest = time;
    last = {entry.battery};
  }
  return last;
}

absl::StatusOr<BatteryId> ByVehicle(const RecordContext& context, const std::string& text) {
  const store::Store& store = context.journal.store();
  ASSIGN_OR_RETURN(const VehicleIdentifier vehicle, VehicleIdentifier::Parse(text));
  ASSIGN_OR_RETURN(std::vector<BatteryId> mounted, MountedOn(store, context.secrets, vehicle));
  if (mounted.empty()) {
    ASSIGN_OR_RETURN(mounted, LastOn(context, vehicle));
  }
  return Only(std::move(mounted), "the vehicle", " has several batteries mounted: name one by its serial");
}

// When the batch was dated; nothing while it is not.
absl::StatusOr<std::optional<absl::Time>> DatedAt(const RecordContext& context, const std::string& digest) {
  ASSIGN_OR_RETURN(const std::string bytes, context.journal.store().Get(Table::kState, BatchKey(digest)));
  internal::v1::StoredBatch batch;
  audit::v1::LogProof proof;
  if (!Decode(bytes, "batch", batch).ok() || !Decode(batch.log_proof(), "log proof", proof).ok()) {
    return absl::DataLossError("the store holds a damaged batch");
  }
  if (batch.log_proof().empty()) return std::nullopt;
  const absl::StatusOr<absl::Time> time =
      identity::CosignedAt(*context.trust.View(), context.federation, proof.checkpoint());
  return time.ok() ? std::optional<absl::Time>(*time) : std::nullopt;
}

absl::StatusOr<VerifiedEvent> EventOf(const RecordContext& context, const DirectoryKeys& keys,
                                      KeptEvent kept) {
  VerifiedEvent event;
  event.digest = kept.stored.digest();
  event.parts = std::move(kept.parts);
  event.header = std::move(kept.header);
  event.approved =
      event.header.type() == v1::EVENT_TYPE_AMENDMENT_APPROVED &&
      VerifyApproval(event.header.approval(), event.header.refers_to(), event.header.author(), keys).ok();
  ASSIGN_OR_RETURN(event.dated_at, DatedAt(context, kept.stored.batch()));
  return event;
}

void FillStatement(const FoldedStatement& folded, v1::PassportStatement& out) {
  out.set_kind(folded.kind);
  out.set_content(folded.content);
  out.set_author(folded.author);
  out.set_type(folded.type);
  *out.mutable_occurred_at() = ToProto(folded.occurred_at);
  if (folded.dated_at) *out.mutable_dated_at() = ToProto(*folded.dated_at);
  out.set_current(folded.standing == Standing::kCurrent);
  out.set_erased(folded.erased);
  out.set_note(folded.note);
}

}  // namespace

absl::StatusOr<v1::GetPassportResponse> GetPassport(const RecordContext& context,
                                                    const common::v1::Subject& subject) {
  ASSIGN_OR_RETURN(const BatteryId battery, subject.has_battery() ? BySerial(context, subject.battery())
                                                                  : ByVehicle(context, subject.vehicle()));
  ASSIGN_OR_RETURN(std::vector<KeptEvent> history, ReadHistory(context.journal.store(), battery));
  if (history.empty())
    return absl::NotFoundError(absl::StrCat("battery `", battery.serial(), "` is not known here"));
  const std::shared_ptr<const identity::TrustView> view = context.trust.View();
  const DirectoryKeys keys = identity::EvidenceKeys(view, context.federation, context.clock.Now());
  v1::GetPassportResponse response;
  *response.mutable_battery() = history.front().header.subject();
  std::vector<VerifiedEvent> events;
  for (KeptEvent& kept : history) {
    ASSIGN_OR_RETURN(VerifiedEvent event, EventOf(context, keys, std::move(kept)));
    events.push_back(std::move(event));
  }
  const Folded folded = Fold(events, view->SuccessorsOf(response.battery().manufacturer()));
  for (const FoldedStatement& statement : folded.statements)
    FillStatement(statement, *response.add_statements());
  response.mutable_warnings()->Assign(folded.warnings.begin(), folded.warnings.end());
  return response;
}

absl::StatusOr<v1::GetPassportResponse> ShowPassport(const RecordContext& context, const Caller& caller,
                                                     const common::v1::Subject& subject) {
  ASSIGN_OR_RETURN(v1::GetPassportResponse response, GetPassport(context, subject));
  if (caller.mandate().empty()) return response;
  audit::v1::Record record;
  *record.mutable_time() = ToProto(context.clock.Now());
  record.mutable_view()->set_what("passport");
  *record.mutable_view()->mutable_battery() = response.battery();
  audit::NameActor(caller, record);
  audit::Commit commit;
  commit.record = Encode(record);
  RETURN_IF_ERROR(context.journal.SubmitAndWait(std::move(commit)).status());
  return response;
}

}  // namespace tsunagi::passport
