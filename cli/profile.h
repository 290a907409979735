// The folder in which a person's command line keeps its configuration, key, certificate and token.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/crypto/certificate.h"
#include "core/crypto/key.h"
#include "tsunagi/identity/v1/membership_service.pb.h"
#include "tsunagi/identity/v1/trust_service.pb.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::cli {

// The process name in an operator's certificate.
inline constexpr char kOperatorProcess[] = "operator";

// $TSUNAGI_PROFILE, or ~/.tsunagi.
std::string DefaultProfile();

// A token with its life, as it is kept.
struct CachedToken {
  std::string token;
  absl::Time issued_at;
  absl::Time expires_at;
};

// The session of a person's account, as it is kept.
struct AccountSession {
  std::string account;
  std::string token;
  absl::Time expires_at;
};

// What enrolment left behind.
struct Credentials {
  crypto::PrivateKey key;
  std::vector<crypto::Certificate> chain;  // leaf first
  crypto::Certificate root;
};

// Files in one folder of mode 0700. Key, token and session have mode 0600.
class Profile {
 public:
  explicit Profile(std::string folder) : folder_(std::move(folder)) {}
  const std::string& folder() const { return folder_; }

  // NOT_FOUND or FAILED_PRECONDITION say how to enrol.
  absl::StatusOr<internal::v1::OperatorConfig> LoadConfig() const;
  absl::StatusOr<Credentials> LoadCredentials() const;

  // Creates the folder and copies a configuration that was checked into it.
  absl::Status SaveConfig(const std::string& config_path) const;
  // The key is made here and never leaves.
  absl::StatusOr<crypto::PrivateKey> LoadOrCreateKey() const;
  absl::Status SaveCertificates(const std::vector<crypto::Certificate>& chain,
                                const crypto::Certificate& root) const;

  // The trust bundle as last seen, and what to keep of a newer one; nothing when none is kept.
  std::optional<identity::v1::SignedTrustBundle> LoadTrustBundle() const;
  absl::Status SaveTrustBundle(const identity::v1::SignedTrustBundle& bundle) const;

  // A token of this certificate, if one is kept; whether it is still valid is for the caller to say.
  std::optional<CachedToken> LoadToken(const crypto::Certificate& certificate) const;
  absl::Status SaveToken(const crypto::Certificate& certificate, const CachedToken& token) const;

  // The session of whoever signed in, unless it is over by its own time; and its end.
  std::optional<AccountSession> LoadAccountSession() const;
  absl::Status SaveAccountSession(const AccountSession& session) const;
  absl::Status RemoveAccountSession() const;

  // The participants as last seen: names for people, and labels while the registrar is away.
  std::optional<identity::v1::ListParticipantsResponse> LoadParticipants() const;
  absl::Status SaveParticipants(const identity::v1::ListParticipantsResponse& participants) const;

 private:
  std::string Path(absl::string_view name) const;

  std::string folder_;
};

// Reads and checks a configuration: every mistake, each with its line.
absl::StatusOr<internal::v1::OperatorConfig> LoadOperatorConfig(const std::string& path);

}  // namespace tsunagi::cli
