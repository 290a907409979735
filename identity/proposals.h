// Acts on keys, and approvals of amendments, that wait for another person (二者承認).
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/audit/journal.h"
#include "core/base/caller.h"
#include "identity/context.h"
#include "identity/operators.h"
#include "tsunagi/identity/v1/trust_service.pb.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::identity {

using internal::v1::StoredProposal;

// From then on a proposal cannot be approved.
inline constexpr absl::Duration kProposalLife = absl::Hours(7 * 24);
inline constexpr int kMaxProposals = 100;

// Adds a proposal of an act on keys to `commit`, with its leaf, and takes those out that have expired. Its
// id, which is the digest of all that it says and of `basis`. `basis` is the SHA-256 of what the act would
// change.
//   FAILED_PRECONDITION  the certificate names no person, or 100 proposals wait
absl::StatusOr<std::string> EnterProposal(const RegistrarContext& context, const Caller& caller,
                                          v1::Proposal proposal, absl::string_view basis,
                                          absl::string_view reason, audit::Commit& commit);

// A proposal that `caller` approves, taken out by `commit`.
struct Approved {
  StoredProposal stored;
  Actor approver;
};
//   NOT_FOUND            no such proposal
//   FAILED_PRECONDITION  it has expired, or the caller proposed it
//   DATA_LOSS            it is not what its id says
absl::StatusOr<Approved> TakeApproved(const RegistrarContext& context, const Caller& caller,
                                      absl::string_view id, audit::Commit& commit);

// OK when what the act would change is still what it was. FAILED_PRECONDITION otherwise.
absl::Status CheckUnchanged(const Approved& approved, absl::string_view basis);

// Takes a proposal of an act on keys out, whoever proposed it. NOT_FOUND when there is none.
absl::Status TakeOutProposal(const store::Store& store, absl::string_view id, audit::Commit& commit);

// The first of the two approvals of an amendment; none when nobody gave it, it has expired, or it was given
// to another content than `basis`.
absl::StatusOr<std::optional<StoredProposal>> FindFirstApproval(const RegistrarContext& context,
                                                                absl::string_view amendment,
                                                                absl::string_view basis);
void PutFirstApproval(const RegistrarContext& context, const Actor& actor, absl::string_view amendment,
                      absl::string_view basis, audit::Commit& commit);
void TakeOutFirstApproval(absl::string_view amendment, audit::Commit& commit);

// What waits: acts on keys, then amendments that one person approved.
absl::StatusOr<v1::ListProposalsResponse> ListProposals(const RegistrarContext& context);

}  // namespace tsunagi::identity
