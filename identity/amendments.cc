#include "identity/amendments.h"

#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/audit/epoch.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/crypto/envelope.h"
#include "core/store/key.h"
#include "identity/entries.h"
#include "identity/members.h"
#include "identity/proposals.h"
#include "identity/shown_event.h"
#include "passport/model/digests.h"
#include "passport/model/slots.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::identity {
namespace {

using store::Key;
using store::Table;

constexpr int kMaxPage = 1000;
constexpr int kDefaultPage = 100;
constexpr size_t kMaxPageBytes = 3 << 20;

std::string AmendmentKey(absl::string_view id) { return Key("amendment").Str(id); }
// Two orders of submission: of all, and of each issuer's. The index of the leaf is the place; those of later
// epochs of the log come behind.
constexpr int kEpochShift = 48;
std::string AllPrefix() { return Key("amendments").Str("all"); }
std::string IssuerPrefix(absl::string_view issuer) { return Key("amendments").Str("issuer").Str(issuer); }

absl::StatusOr<v1::Amendment> LoadAmendment(const store::Store& store, absl::string_view id) {
  const absl::StatusOr<std::string> bytes = store.Get(Table::kState, AmendmentKey(id));
  if (absl::IsNotFound(bytes.status())) {
    return absl::NotFoundError(absl::StrCat("amendment `", id, "` was not submitted"));
  }
  RETURN_IF_ERROR(bytes.status());
  v1::Amendment amendment;
  RETURN_IF_ERROR(Decode(*bytes, "stored amendment", amendment));
  return amendment;
}

bool IsApproved(const store::Store& store, const crypto::Digest& proposal) {
  const absl::StatusOr<v1::Amendment> amendment = LoadAmendment(store, ToHex(proposal));
  return amendment.ok() && amendment->state() == v1::AMENDMENT_STATE_APPROVED;
}

absl::Status CheckProposal(const ShownEvent& proposal, const Caller& caller) {
  if (proposal.header.type() != passport::v1::EVENT_TYPE_AMENDMENT_PROPOSED) {
    return InvalidArgument({"TYPE_WRONG", "proposal", passport::TypeName(proposal.header.type()),
                            "an event of type amendment-proposed"});
  }
  if (proposal.header.author() == caller.did()) return absl::OkStatus();
  return InvalidArgument({"ISSUER_DIFFERS", "proposal", proposal.header.author(),
                          "an event whose author is the calling participant"});
}

// The old value is proven too: the proposal's own bytes name the registration that it corrects.
absl::Status CheckInForce(const store::Store& store, const ShownEvent& in_force, const ShownEvent& proposal) {
  if (in_force.header.author() != proposal.header.author() ||
      !SameBattery(in_force.header.subject(), proposal.header.subject())) {
    return InvalidArgument({"EVENT_DIFFERS", "in_force", in_force.header.subject().serial(),
                            "an event of the proposal's author about the same battery"});
  }
  const bool is_registration = in_force.header.type() == passport::v1::EVENT_TYPE_REGISTERED;
  const bool corrected = is_registration ? in_force.digest == proposal.header.refers_to()
                                         : in_force.header.refers_to() == proposal.header.refers_to() &&
                                               IsApproved(store, in_force.digest);
  if (corrected) return absl::OkStatus();
  return InvalidArgument({"NOT_IN_FORCE", "in_force", passport::TypeName(in_force.header.type()),
                          "the registration that the proposal refers to, or an approved correction of it"});
}

// The amendment that the events are about, once they passed every check.
absl::StatusOr<v1::Amendment> OpenSubmission(const store::Store& store,
                                             const v1::SubmitAmendmentRequest& request,
                                             const Caller& caller) {
  ASSIGN_OR_RETURN(const ShownEvent proposal, OpenShownEvent("proposal", request.proposal()));
  RETURN_IF_ERROR(CheckProposal(proposal, caller));
  ASSIGN_OR_RETURN(const ShownEvent in_force, OpenShownEvent("in_force", request.in_force()));
  RETURN_IF_ERROR(CheckInForce(store, in_force, proposal));
  if (in_force.identity == proposal.identity) {
    return InvalidArgument(
        {"NOTHING_CHANGES", "proposal", "", "an identity part that differs from the one in force"});
  }
  v1::Amendment amendment;
  amendment.set_id(ToHex(proposal.digest));
  amendment.set_issuer(caller.did());
  *amendment.mutable_battery() = proposal.header.subject();
  amendment.set_old_identity(in_force.identity);
  amendment.set_new_identity(proposal.identity);
  amendment.set_state(v1::AMENDMENT_STATE_PENDING);
  return amendment;
}

}  // namespace

void Amendments::Submit(const Caller& caller, const v1::SubmitAmendmentRequest& request,
                        Done<v1::SubmitAmendmentResponse> done) {
  Act<v1::SubmitAmendmentResponse>(
      context_.journal, [this, caller, request] { return DecideSubmit(caller, request); }, std::move(done));
}

absl::StatusOr<Decision<v1::SubmitAmendmentResponse>> Amendments::DecideSubmit(
    const Caller& caller, const v1::SubmitAmendmentRequest& request) const {
  const store::Store& store = context_.journal.store();
  ASSIGN_OR_RETURN(const v1::Amendment submitted, OpenSubmission(store, request, caller));
  ASSIGN_OR_RETURN(const StoredParticipant entry, LoadEntry(store, caller.label()));
  RETURN_IF_ERROR(CheckActs(entry));
  Decision<v1::SubmitAmendmentResponse> decision;
  absl::StatusOr<v1::Amendment> known = LoadAmendment(store, submitted.id());
  if (known.ok()) {
    if (known->old_identity() != submitted.old_identity()) {
      return absl::AlreadyExistsError(
          absl::StrCat("amendment `", submitted.id(), "` was submitted with another event in force"));
    }
    *decision.reply.mutable_amendment() = *std::move(known);
    return decision;
  }
  if (!absl::IsNotFound(known.status())) return known.status();

  *decision.reply.mutable_amendment() = submitted;
  const std::string bytes = Encode(submitted);
  audit::Commit commit;
  commit.reads = {AmendmentKey(submitted.id()), EntryKey(caller.label())};
  commit.writes = {store::Put(Table::kState, AmendmentKey(submitted.id()), bytes)};
  commit.record = EncodeRecord({"amendment-submitted", caller.did(), crypto::Sha256(bytes), ByOf(caller)},
                               context_.clock.Now());
  ASSIGN_OR_RETURN(const audit::LogEpoch epoch, audit::ParseEpochOrigin(context_.journal.origin()));
  commit.on_index = [id = submitted.id(), issuer = submitted.issuer(),
                     before = (epoch.epoch - 1) << kEpochShift](uint64_t leaf,
                                                                std::vector<store::Write>& writes) {
    const uint64_t index = before + leaf;
    writes.push_back(store::Put(Table::kState, Key("amendments").Str("all").U64(index), id));
    writes.push_back(store::Put(Table::kState, Key("amendments").Str("issuer").Str(issuer).U64(index), id));
  };
  decision.commit = std::move(commit);
  return decision;
}

void Amendments::Approve(const Caller& caller, const v1::ApproveAmendmentRequest& request,
                         Done<v1::ApproveAmendmentResponse> done) {
  Act<v1::ApproveAmendmentResponse>(
      context_.journal, [this, caller, request] { return DecideApprove(caller, request); }, std::move(done));
}

absl::StatusOr<Decision<v1::ApproveAmendmentResponse>> Amendments::DecideApprove(
    const Caller& caller, const v1::ApproveAmendmentRequest& request) const {
  ASSIGN_OR_RETURN(v1::Amendment amendment, LoadAmendment(context_.journal.store(), request.id()));
  Decision<v1::ApproveAmendmentResponse> decision;
  if (amendment.state() == v1::AMENDMENT_STATE_APPROVED) {
    *decision.reply.mutable_amendment() = std::move(amendment);
    return decision;
  }
  const std::string basis = crypto::Sha256(Encode(amendment));
  ASSIGN_OR_RETURN(const Actor actor, ApproverOf(context_, caller));
  audit::Commit commit;
  if (context_.options.two_person_approval) {
    ASSIGN_OR_RETURN(const std::optional<StoredProposal> first,
                     FindFirstApproval(context_, amendment.id(), basis));
    if (!first.has_value()) return ApproveFirst(actor, std::move(amendment), basis);
    RETURN_IF_ERROR(CheckOtherPerson(first->person(), actor.person));
    TakeOutFirstApproval(amendment.id(), commit);
  }
  const absl::Time now = context_.clock.Now();
  passport::v1::AmendmentApproval approval;
  ASSIGN_OR_RETURN(*approval.mutable_proposal_digest(), FromHex(amendment.id()));
  approval.set_issuer(amendment.issuer());
  *approval.mutable_approved_at() = ToProto(now);
  *amendment.mutable_approval() =
      crypto::Sign(context_.authority.Get()->approval, passport::kAmendmentApprovalType, Encode(approval));
  amendment.set_state(v1::AMENDMENT_STATE_APPROVED);

  commit.reads.push_back(AmendmentKey(amendment.id()));
  commit.writes.push_back(store::Put(Table::kState, AmendmentKey(amendment.id()), Encode(amendment)));
  commit.record = EncodeRecord(
      {"amendment-approved", amendment.issuer(), crypto::Sha256(Encode(amendment.approval())), actor.by},
      now);
  *decision.reply.mutable_amendment() = std::move(amendment);
  decision.commit = std::move(commit);
  return decision;
}

// Of two persons the first: it stays pending.
absl::StatusOr<Decision<v1::ApproveAmendmentResponse>> Amendments::ApproveFirst(
    const Actor& actor, v1::Amendment amendment, const std::string& basis) const {
  Decision<v1::ApproveAmendmentResponse> decision;
  audit::Commit commit;
  commit.reads.push_back(AmendmentKey(amendment.id()));
  PutFirstApproval(context_, actor, amendment.id(), basis, commit);
  commit.record =
      EncodeRecord({"amendment-proposed", amendment.issuer(), basis, actor.by}, context_.clock.Now());
  *decision.reply.mutable_amendment() = std::move(amendment);
  decision.commit = std::move(commit);
  return decision;
}

absl::StatusOr<v1::ListAmendmentsResponse> Amendments::List(const Caller& caller,
                                                            const v1::ListAmendmentsRequest& request) const {
  if (request.page_size() < 0 || request.page_size() > kMaxPage) {
    return InvalidArgument(
        {"PAGE_SIZE_INVALID", "page_size", absl::StrCat(request.page_size()), "0 to 1000"});
  }
  const bool sees_all = caller.label() == kRegistrarLabel && caller.process() == kOperatorProcess;
  const std::string prefix = sees_all ? AllPrefix() : IssuerPrefix(caller.did());
  std::string start;
  if (!request.page_token().empty()) {
    uint64_t place = 0;
    if (!absl::SimpleAtoi(request.page_token(), &place)) {
      return InvalidArgument(
          {"PAGE_TOKEN_INVALID", "page_token", request.page_token(), "next_page_token of a page"});
    }
    start = prefix;
    AppendU64(start, place);
  }
  const size_t page_size = static_cast<size_t>(request.page_size() == 0 ? kDefaultPage : request.page_size());
  const store::Store& store = context_.journal.store();
  v1::ListAmendmentsResponse response;
  absl::Status broken;
  size_t bytes = 0;
  RETURN_IF_ERROR(store.Scan(Table::kState, prefix, start, [&](absl::string_view key, absl::string_view id) {
    absl::StatusOr<v1::Amendment> amendment = LoadAmendment(store, id);
    broken = amendment.status();
    if (!broken.ok()) return false;
    const bool wanted =
        request.state() == v1::AMENDMENT_STATE_UNSPECIFIED || request.state() == amendment->state();
    if (!wanted) return true;
    bytes += amendment->ByteSizeLong();
    if (static_cast<size_t>(response.amendments_size()) == page_size || bytes > kMaxPageBytes) {
      uint64_t place = 0;
      for (const char c : key.substr(prefix.size())) place = place << 8 | static_cast<unsigned char>(c);
      response.set_next_page_token(absl::StrCat(place));
      return false;
    }
    *response.add_amendments() = *std::move(amendment);
    return true;
  }));
  RETURN_IF_ERROR(broken);
  return response;
}

}  // namespace tsunagi::identity
