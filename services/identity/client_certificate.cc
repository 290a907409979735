#include "services/identity/client_certificate.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/crypto/certificate.h"
#include "services/rpc/guard.h"

namespace tsunagi::identity {

absl::StatusOr<CertifiedProcess> AuthenticateClient(const Registrar& registrar,
                                                    const http::HttpRequest& request) {
  if (request.client_certificate_der.empty()) {
    return absl::UnauthenticatedError(
        "show a process certificate of the federation as TLS client certificate");
  }
  const absl::StatusOr<crypto::Certificate> certificate =
      crypto::ParseCertificateDer(request.client_certificate_der);
  if (!certificate.ok()) {
    return absl::UnauthenticatedError(absl::StrCat("client certificate: ", certificate.status().message()));
  }
  const RegistrarContext& context = registrar.context();
  const absl::Time now = context.clock.Now();
  ASSIGN_OR_RETURN(rpc::Peer peer,
                   rpc::BelievedPeer(crypto::ToPem(*certificate), *registrar.trust().View()->bundle, now));
  if (now >= peer.not_after) return absl::UnauthenticatedError("client certificate: it has expired");
  if (peer.federation != context.options.federation) {
    return absl::UnauthenticatedError(
        absl::StrCat("client certificate: expected one of federation `", context.options.federation, "`"));
  }
  return CertifiedProcess{std::move(peer.label), std::move(peer.process), std::move(peer.certificate_sha256),
                          peer.not_after};
}

}  // namespace tsunagi::identity
