// Verifiable credentials of members (W3C VC 2.0 as JWT, VC-JOSE-COSE), and the status lists that end them.
// Thread-safe; nothing blocks.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/mutex.h"
#include "identity/act.h"
#include "identity/act_counts.h"
#include "identity/certified_process.h"
#include "identity/context.h"
#include "identity/signed_cache.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::identity {

inline constexpr absl::string_view kCredentialType = "vc+jwt";

enum class CredentialKind {
  kMembership,  // MembershipCredential: who it is, and that it is a member
  kRoles,       // RoleCredential: which roles the registrar granted
};

// Why a bit of a status list is set.
enum class StatusPurpose {
  kSuspension,  // 利用停止 and 脱退: it may not act now
  kRevocation,  // 脱退: it is no member any more
};

class Credentials {
 public:
  static constexpr absl::Duration kLife = absl::Hours(90 * 24);
  // A status list is signed anew when it has changed, or is older.
  static constexpr absl::Duration kStatusFresh = absl::Hours(1);
  static constexpr absl::Duration kStatusLife = absl::Hours(24);

  explicit Credentials(const RegistrarContext& context);

  // The credential of the process's own participant. The same one until half of its life has passed or what
  // it says has changed.
  //   PERMISSION_DENIED  the participant is not registered, is suspended or has left
  //   NOT_FOUND          it has no role
  void Get(const CertifiedProcess& process, CredentialKind kind, Done<std::string> done);

  // The BitstringStatusListCredential in which every credential stands: as of now, no change that was
  // acknowledged before the call is missing.
  void GetStatusList(StatusPurpose purpose, Done<std::shared_ptr<const std::string>> done);

  // Of Get: signed anew, or refused. Handing the same one out again is not counted.
  const ActCounts& issued(CredentialKind kind) const { return issued_[static_cast<size_t>(kind)]; }

 private:
  using StatusCache = SignedCache<std::string>;

  absl::StatusOr<Decision<std::string>> Decide(const CertifiedProcess& process, CredentialKind kind) const;
  absl::StatusOr<Decision<Issued<std::string>>> SignStatusList(StatusPurpose purpose);
  StatusCache::Make MakerOf(StatusPurpose purpose);
  // Rises whenever what the status lists say may have changed.
  absl::StatusOr<uint64_t> StatusVersion();

  const RegistrarContext& context_;
  std::array<ActCounts, 2> issued_;  // by kind
  Mutex mutex_;
  std::string status_seen_ ABSL_GUARDED_BY(mutex_);
  uint64_t status_version_ ABSL_GUARDED_BY(mutex_) = 0;
  StatusCache suspension_;
  StatusCache revocation_;
};

}  // namespace tsunagi::identity
