#include "passport/records/amendments.h"

#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/evidence_keys.h"
#include "passport/records/batch.h"
#include "passport/records/import_plan.h"

namespace tsunagi::passport {
namespace {

using store::Table;

// The event with its identity part open and nothing else.
absl::StatusOr<v1::EventDisclosure> ShowIdentity(const KeptEvent& event) {
  v1::EventDisclosure shown;
  shown.set_header(event.stored.header());
  for (const internal::v1::StoredSlot& slot : event.stored.slots()) {
    v1::SlotDisclosure& disclosure = *shown.add_slots();
    if (slot.kind() != v1::PART_KIND_IDENTITY) {
      disclosure.set_digest(slot.digest());
    } else {
      RETURN_IF_ERROR(Decode(slot.disclosure(), "stored identity part", disclosure));
    }
  }
  return shown;
}

absl::StatusOr<identity::v1::SubmitAmendmentRequest> SubmissionOf(const KeptEvent& proposal,
                                                                  const std::vector<KeptEvent>& history) {
  // What was in force when it was proposed: the same at every round.
  const KeptEvent* in_force = InForce(history, v1::PART_KIND_IDENTITY, proposal.header.sequence());
  if (in_force == nullptr) return absl::DataLossError("the store holds an amendment without a registration");
  identity::v1::SubmitAmendmentRequest request;
  ASSIGN_OR_RETURN(*request.mutable_proposal(), ShowIdentity(proposal));
  ASSIGN_OR_RETURN(*request.mutable_in_force(), ShowIdentity(*in_force));
  return request;
}

bool IsAway(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

// Refused for what it says: no later round can end otherwise.
bool IsFinal(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status) ||
         absl::IsAlreadyExists(status);
}

}  // namespace

absl::StatusOr<int> AmendmentCourier::Run() {
  std::vector<std::pair<std::string, std::string>> pending;
  RETURN_IF_ERROR(context_.journal.store().Scan(Table::kState, PendingPrefix(), "",
                                                [&](absl::string_view key, absl::string_view event_key) {
                                                  pending.emplace_back(key, event_key);
                                                  return true;
                                                }));
  int approved = 0;
  for (const auto& [pending_key, event_key] : pending) {
    const absl::StatusOr<bool> written = Carry(pending_key, event_key);
    if (IsAway(written.status())) return written.status();
    if (!written.ok()) {
      log::Warning("an amendment could not be carried",
                   {{"reason", std::string(written.status().message())}});
    }
    approved += written.value_or(false) ? 1 : 0;
  }
  return approved;
}

absl::StatusOr<bool> AmendmentCourier::Carry(const std::string& pending_key, const std::string& event_key) {
  audit::Commit commit;
  commit.version = context_.journal.Version();
  ASSIGN_OR_RETURN(const KeptEvent proposal, ReadEvent(context_.journal.store(), event_key));
  ImportPlan plan(context_);
  ASSIGN_OR_RETURN(const std::vector<KeptEvent>* history, plan.HistoryOf(proposal.header.subject()));
  ASSIGN_OR_RETURN(const identity::v1::SubmitAmendmentRequest request, SubmissionOf(proposal, *history));
  const absl::StatusOr<identity::v1::Amendment> submitted = registrar_.SubmitAmendment(request);
  if (IsFinal(submitted.status())) return Drop(pending_key, proposal, submitted.status());
  ASSIGN_OR_RETURN(const identity::v1::Amendment& answer, submitted);
  if (answer.state() != identity::v1::AMENDMENT_STATE_APPROVED) return false;
  const std::string approval = Encode(answer.approval());
  RETURN_IF_ERROR(VerifyApproval(
      approval, proposal.stored.digest(), context_.did,
      identity::EvidenceKeys(context_.trust.View(), context_.federation, context_.clock.Now())));
  v1::EventHeader header;
  header.set_type(v1::EVENT_TYPE_AMENDMENT_APPROVED);
  *header.mutable_subject() = proposal.header.subject();
  *header.mutable_occurred_at() = ToProto(context_.clock.Now());
  header.set_refers_to(proposal.stored.digest());
  header.set_approval(approval);
  RETURN_IF_ERROR(plan.Append(std::move(header), {}).status());
  commit.reads.push_back(pending_key);
  commit.writes.push_back(store::Delete(Table::kState, pending_key));
  AddBatch(context_, plan.TakeDrafts(), nullptr, commit);
  RETURN_IF_ERROR(context_.journal.SubmitAndWait(std::move(commit)).status());
  return true;
}

absl::StatusOr<bool> AmendmentCourier::Drop(const std::string& pending_key, const KeptEvent& proposal,
                                            const absl::Status& refusal) {
  audit::Commit commit;
  commit.writes.push_back(store::Delete(Table::kState, pending_key));
  RETURN_IF_ERROR(context_.journal.SubmitAndWait(std::move(commit)).status());
  log::Warning("the registrar refused an amendment for good: it waits no longer",
               {{"amendment", ToHex(proposal.stored.digest())}, {"reason", std::string(refusal.message())}});
  return false;
}

}  // namespace tsunagi::passport
