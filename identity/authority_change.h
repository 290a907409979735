// One change of the registrar's authority: what is stored, and the bundle that goes with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/journal.h"
#include "identity/bundle.h"
#include "identity/context.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::identity {

// Edits the stored authority; key files are written as keys are made. Nothing changes before AddTo's commit.
class AuthorityChange {
 public:
  // INVALID_ARGUMENT when the stored bundle cannot be read.
  static absl::StatusOr<AuthorityChange> Begin(const RegistrarContext& context,
                                               internal::v1::StoredAuthority stored);

  // The first bundle: the root and the issuing CA in use.
  absl::Status ListFirst();
  // Each gives the id of the key.
  absl::StatusOr<std::string> MakeRootKnown();     // with an issuing CA of its own
  absl::StatusOr<std::string> MakeIssuingKnown();  // under the root in use
  absl::StatusOr<std::string> UseNextRoot();
  absl::StatusOr<std::string> UseNextIssuing();
  absl::StatusOr<std::string> NextDirectory();
  absl::StatusOr<std::string> NextStatus();
  // Takes out the CA with this SHA-256 (raw), and everything under a root.
  absl::Status Remove(absl::string_view sha256);

  internal::v1::StoredAuthority& stored() { return stored_; }
  uint64_t bundle_version() const { return listed_.version(); }

  // Signs the bundle with its next version: by the newest 16 roots whose keys are there.
  absl::Status SignBundle();
  // Adds what is stored to `commit`.
  void AddTo(audit::Commit& commit) const;

 private:
  AuthorityChange(const RegistrarContext& context, internal::v1::StoredAuthority stored)
      : context_(context), stored_(std::move(stored)), now_(context.clock.Now()) {}

  uint32_t NumberOf(size_t index) const;
  uint32_t Count(v1::AnchorKind kind) const;
  // Index of what is known beside the one in use and waits: a root, or an issuing CA of `root`.
  std::optional<size_t> WaitingRoot() const;
  std::optional<size_t> WaitingIssuing(size_t root) const;
  size_t IndexInUse(v1::AnchorKind kind) const;
  absl::StatusOr<CertifiedKey> MakeIssuing(const CertifiedKey& root);
  void List(const crypto::Certificate& certificate, v1::AnchorKind kind);
  void Retire(size_t index);
  absl::Status TakeRootIntoUse(size_t root, size_t issuing);

  const RegistrarContext& context_;
  internal::v1::StoredAuthority stored_;
  v1::TrustBundle listed_;
  Bundle opened_;  // as before the change
  absl::Time now_;
};

}  // namespace tsunagi::identity
