#include "services/identity/own_credentials.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "identity/names.h"
#include "identity/token.h"

namespace tsunagi::identity {

using crypto::Certificate;
using crypto::PrivateKey;

OwnCredentials::OwnCredentials(std::string data_dir, std::vector<std::string> hosts,
                               const AuthorityInUse& authority, const Clock& clock, std::string federation,
                               absl::Duration life)
    : data_dir_(std::move(data_dir)),
      hosts_(std::move(hosts)),
      authority_(authority),
      clock_(clock),
      federation_(std::move(federation)),
      life_(life) {}

std::string OwnCredentials::Path(absl::string_view name) const { return absl::StrCat(data_dir_, "/", name); }

absl::Status OwnCredentials::RenewCertificates() {
  const absl::Time now = clock_.Now();
  const std::shared_ptr<const Authority> authority = authority_.Get();
  const Certificate& issuer = authority->issuing.certificate;
  ASSIGN_OR_RETURN(const PrivateKey key, PrivateKey::LoadOrCreateForTls(Path("tls.key")));
  const ProcessName name = {federation_, std::string(kRegistrarLabel), std::string(kRegistrarLabel)};
  ASSIGN_OR_RETURN(const Certificate process,
                   IssueProcessCertificate(*authority, name, key.public_key(), now, life_));
  const std::string issuing = crypto::ToPem(issuer);
  RETURN_IF_ERROR(WriteFileAtomically(Path("tls.crt"), crypto::ToPem(process) + issuing, 0644));

  // The edge has a key of its own: its certificate names hosts, not a process.
  const PrivateKey edge_key = PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  ASSIGN_OR_RETURN(const Certificate edge,
                   IssueServerCertificate(*authority, hosts_, edge_key.public_key(), now, life_));
  edge_key_pem_ = edge_key.ToPem();
  edge_certificate_pem_ = crypto::ToPem(edge) + issuing;
  certificate_sha256_ = process.sha256;
  issuing_sha256_ = issuer.sha256;
  not_after_ = process.not_after;
  return absl::OkStatus();
}

absl::Status OwnCredentials::KeepRoots(const std::string& roots_pem) {
  if (roots_pem == roots_pem_) return absl::OkStatus();
  RETURN_IF_ERROR(WriteFileAtomically(Path("root.crt"), roots_pem, 0644));
  roots_pem_ = roots_pem;
  return absl::OkStatus();
}

absl::Status OwnCredentials::WriteToken(absl::string_view did) const {
  TokenClaims claims;
  claims.subject = std::string(did);
  claims.certificate_sha256 = certificate_sha256_;
  claims.issued_at = clock_.Now();
  claims.expires_at = std::min(claims.issued_at + kMaxTokenLife, not_after_);
  ASSIGN_OR_RETURN(const std::string token,
                   IssueToken(authority_.Get()->TokenKeyAt(claims.issued_at), federation_, claims));
  return WriteFileAtomically(Path("token"), token, 0600);
}

}  // namespace tsunagi::identity
