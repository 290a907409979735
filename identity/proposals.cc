#include "identity/proposals.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/store/key.h"
#include "identity/act.h"

namespace tsunagi::identity {
namespace {

using store::Key;
using store::Table;

constexpr char kOnKeys[] = "authority";
constexpr char kOfAmendment[] = "amendment";

std::string Prefix(absl::string_view kind) { return Key("proposal").Str(kind); }
std::string ProposalKey(absl::string_view kind, absl::string_view id) {
  return Key("proposal").Str(kind).Str(id);
}

// Everything but the id itself.
std::string IdOf(StoredProposal stored) {
  stored.mutable_proposal()->clear_id();
  return ToHex(crypto::Sha256(Encode(stored)));
}

absl::StatusOr<StoredProposal> Load(const store::Store& store, absl::string_view kind, absl::string_view id) {
  const absl::StatusOr<std::string> bytes = store.Get(Table::kState, ProposalKey(kind, id));
  if (absl::IsNotFound(bytes.status())) {
    return absl::NotFoundError(
        absl::StrCat("nothing is proposed under `", id, "`: `tsunagi authority proposals` lists what is"));
  }
  RETURN_IF_ERROR(bytes.status());
  StoredProposal stored;
  RETURN_IF_ERROR(Decode(*bytes, "stored proposal", stored));
  return stored;
}

absl::StatusOr<bool> HasExpired(const StoredProposal& stored, absl::Time now) {
  ASSIGN_OR_RETURN(const absl::Time end, FromProto(stored.proposal().expire_time()));
  return now >= end;
}

absl::Status ForEach(const store::Store& store, absl::string_view kind,
                     const std::function<absl::Status(const StoredProposal&)>& visit) {
  absl::Status status;
  RETURN_IF_ERROR(
      store.Scan(Table::kState, Prefix(kind), "", [&](absl::string_view, absl::string_view value) {
        StoredProposal stored;
        status = Decode(value, "stored proposal", stored);
        if (status.ok()) status = visit(stored);
        return status.ok();
      }));
  return status;
}

// How many wait; those that have expired go with `commit`.
absl::StatusOr<int> CountAndForget(const RegistrarContext& context, audit::Commit& commit) {
  int waiting = 0;
  RETURN_IF_ERROR(
      ForEach(context.journal.store(), kOnKeys, [&](const StoredProposal& stored) -> absl::Status {
        ASSIGN_OR_RETURN(const bool expired, HasExpired(stored, context.clock.Now()));
        if (expired) {
          commit.writes.push_back(store::Delete(Table::kState, ProposalKey(kOnKeys, stored.proposal().id())));
        } else {
          ++waiting;
        }
        return absl::OkStatus();
      }));
  return waiting;
}

StoredProposal NewProposal(const RegistrarContext& context, const Actor& actor, v1::Proposal proposal,
                           absl::string_view basis) {
  const absl::Time now = context.clock.Now();
  StoredProposal stored;
  proposal.set_entered_by(actor.shown);
  *proposal.mutable_entered_at() = ToProto(now);
  *proposal.mutable_expire_time() = ToProto(now + kProposalLife);
  *stored.mutable_proposal() = std::move(proposal);
  *stored.mutable_person() = actor.person;
  stored.set_basis(std::string(basis));
  return stored;
}

}  // namespace

absl::StatusOr<std::string> EnterProposal(const RegistrarContext& context, const Caller& caller,
                                          v1::Proposal proposal, absl::string_view basis,
                                          absl::string_view reason, audit::Commit& commit) {
  ASSIGN_OR_RETURN(const Actor actor, ApproverOf(context, caller));
  ASSIGN_OR_RETURN(const int waiting, CountAndForget(context, commit));
  if (waiting >= kMaxProposals) {
    return absl::FailedPreconditionError(
        absl::StrCat(kMaxProposals, " proposals wait: approve or decline some first"));
  }
  proposal.clear_id();
  StoredProposal stored = NewProposal(context, actor, std::move(proposal), basis);
  const std::string id = IdOf(stored);
  stored.mutable_proposal()->set_id(id);
  commit.reads.push_back(ProposalKey(kOnKeys, id));
  commit.writes.push_back(store::Put(Table::kState, ProposalKey(kOnKeys, id), Encode(stored)));
  ASSIGN_OR_RETURN(const std::string digest, FromHex(id));
  commit.record = EncodeRecord({"proposed", "", digest, actor.by, reason}, context.clock.Now());
  return id;
}

absl::StatusOr<Approved> TakeApproved(const RegistrarContext& context, const Caller& caller,
                                      absl::string_view id, audit::Commit& commit) {
  ASSIGN_OR_RETURN(Actor approver, ApproverOf(context, caller));
  ASSIGN_OR_RETURN(StoredProposal stored, Load(context.journal.store(), kOnKeys, id));
  if (IdOf(stored) != id) return absl::DataLossError("the stored proposal is not the one that was proposed");
  ASSIGN_OR_RETURN(const bool expired, HasExpired(stored, context.clock.Now()));
  if (expired) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the proposal has expired after ", absl::FormatDuration(kProposalLife), ": propose it again"));
  }
  if (context.options.two_person_approval) {
    RETURN_IF_ERROR(CheckOtherPerson(stored.person(), approver.person));
  }
  RETURN_IF_ERROR(TakeOutProposal(context.journal.store(), id, commit));
  return Approved{std::move(stored), std::move(approver)};
}

absl::Status CheckUnchanged(const Approved& approved, absl::string_view basis) {
  if (approved.stored.basis() == basis) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "what it would change is not any more what it was when it was proposed: decline it, look, and propose "
      "it again");
}

absl::Status TakeOutProposal(const store::Store& store, absl::string_view id, audit::Commit& commit) {
  RETURN_IF_ERROR(Load(store, kOnKeys, id).status());
  commit.reads.push_back(ProposalKey(kOnKeys, id));
  commit.writes.push_back(store::Delete(Table::kState, ProposalKey(kOnKeys, id)));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<StoredProposal>> FindFirstApproval(const RegistrarContext& context,
                                                                absl::string_view amendment,
                                                                absl::string_view basis) {
  absl::StatusOr<StoredProposal> stored = Load(context.journal.store(), kOfAmendment, amendment);
  if (absl::IsNotFound(stored.status())) return std::nullopt;
  RETURN_IF_ERROR(stored.status());
  ASSIGN_OR_RETURN(const bool expired, HasExpired(*stored, context.clock.Now()));
  if (expired || stored->basis() != basis) return std::nullopt;
  return *std::move(stored);
}

void PutFirstApproval(const RegistrarContext& context, const Actor& actor, absl::string_view amendment,
                      absl::string_view basis, audit::Commit& commit) {
  v1::Proposal proposal;
  proposal.set_id(std::string(amendment));
  const std::string key = ProposalKey(kOfAmendment, amendment);
  commit.reads.push_back(key);
  commit.writes.push_back(
      store::Put(Table::kState, key, Encode(NewProposal(context, actor, std::move(proposal), basis))));
}

void TakeOutFirstApproval(absl::string_view amendment, audit::Commit& commit) {
  const std::string key = ProposalKey(kOfAmendment, amendment);
  commit.reads.push_back(key);
  commit.writes.push_back(store::Delete(Table::kState, key));
}

absl::StatusOr<v1::ListProposalsResponse> ListProposals(const RegistrarContext& context) {
  v1::ListProposalsResponse response;
  for (const char* kind : {kOnKeys, kOfAmendment}) {
    RETURN_IF_ERROR(ForEach(context.journal.store(), kind, [&](const StoredProposal& stored) -> absl::Status {
      ASSIGN_OR_RETURN(const bool expired, HasExpired(stored, context.clock.Now()));
      if (!expired && response.proposals_size() < kMaxProposals) {
        *response.add_proposals() = stored.proposal();
      }
      return absl::OkStatus();
    }));
  }
  return response;
}

}  // namespace tsunagi::identity
