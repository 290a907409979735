// The registrar's own certificates and token: it issues them to itself.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "identity/authority.h"

namespace tsunagi::identity {

// Files of the registrar's process in `data_dir`: tls.key, tls.crt (leaf, issuing CA), root.crt, token. Not
// thread-safe.
class OwnCredentials {
 public:
  // `hosts` are the names under which newcomers reach EST.
  OwnCredentials(std::string data_dir, std::vector<std::string> hosts, const AuthorityInUse& authority,
                 const Clock& clock, std::string federation, absl::Duration life);

  // Whether the certificates are in the second half of their life, not there yet, or of another issuing CA
  // than the one in use.
  bool AreDue() const {
    return authority_.Get()->issuing.certificate.sha256 != issuing_sha256_ ||
           clock_.Now() >= not_after_ - life_ / 2;
  }
  // Issues certificates.
  absl::Status RenewCertificates();
  // Keeps the roots that TLS accepts as root.crt (PEM, one block after the other).
  absl::Status KeepRoots(const std::string& roots_pem);
  // A token of participant `did` for the process certificate into the file `token`: the health command shows
  // it.
  absl::Status WriteToken(absl::string_view did) const;

  // Certificate and key of the HTTPS edge.
  const std::string& edge_key_pem() const { return edge_key_pem_; }
  const std::string& edge_certificate_pem() const { return edge_certificate_pem_; }
  absl::Time not_after() const { return not_after_; }

 private:
  std::string Path(absl::string_view name) const;

  const std::string data_dir_;
  const std::vector<std::string> hosts_;
  const AuthorityInUse& authority_;
  const Clock& clock_;
  const std::string federation_;
  const absl::Duration life_;
  std::string edge_key_pem_;
  std::string edge_certificate_pem_;
  std::string certificate_sha256_;
  std::string issuing_sha256_;
  std::string roots_pem_;
  absl::Time not_after_ = absl::InfinitePast();
};

}  // namespace tsunagi::identity
