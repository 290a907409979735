#include "passport/records/amendments.h"

#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/evidence_keys.h"
#include "passport/records/batch.h"
#include "passport/records/import_plan.h"

namespace tsunagi::passport {
namespace {

using store::Table;

std::string IdentityOf(const KeptEvent& event) {
  for (const VerifiedPart& part : event.parts) {
    if (part.kind == v1::PART_KIND_IDENTITY) return part.content;
  }
  return "";
}

// The identity part that is in force: of the last approved proposal, or of the registration.
std::string CurrentIdentity(const std::vector<KeptEvent>& history) {
  std::string current;
  for (const KeptEvent& event : history) {
    if (event.header.type() == v1::EVENT_TYPE_REGISTERED) current = IdentityOf(event);
    if (event.header.type() != v1::EVENT_TYPE_AMENDMENT_APPROVED) continue;
    for (const KeptEvent& proposal : history) {
      const std::string proposed = IdentityOf(proposal);
      if (proposal.stored.digest() == event.header.refers_to() && !proposed.empty()) current = proposed;
    }
  }
  return current;
}

identity::v1::Amendment AmendmentOf(const KeptEvent& proposal, const std::vector<KeptEvent>& history) {
  identity::v1::Amendment amendment;
  amendment.set_id(ToHex(proposal.stored.digest()));
  amendment.set_issuer(proposal.header.author());
  *amendment.mutable_battery() = proposal.header.subject();
  amendment.set_old_identity(CurrentIdentity(history));
  const std::string proposed = IdentityOf(proposal);
  // A correction of other facts leaves the identity as it is.
  amendment.set_new_identity(proposed.empty() ? amendment.old_identity() : proposed);
  return amendment;
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
    ASSIGN_OR_RETURN(const bool written, Carry(pending_key, event_key));
    approved += written ? 1 : 0;
  }
  return approved;
}

absl::StatusOr<bool> AmendmentCourier::Carry(const std::string& pending_key, const std::string& event_key) {
  audit::Commit commit;
  commit.version = context_.journal.Version();
  ASSIGN_OR_RETURN(const KeptEvent proposal, ReadEvent(context_.journal.store(), event_key));
  ImportPlan plan(context_);
  ASSIGN_OR_RETURN(const std::vector<KeptEvent>* history, plan.HistoryOf(proposal.header.subject()));
  ASSIGN_OR_RETURN(const identity::v1::Amendment answer,
                   registrar_.SubmitAmendment(AmendmentOf(proposal, *history)));
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
  AddBatch(context_, plan.TakeDrafts(), commit);
  RETURN_IF_ERROR(context_.journal.SubmitAndWait(std::move(commit)).status());
  return true;
}

}  // namespace tsunagi::passport
