#include "services/identity/client_certificate.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/crypto/certificate.h"
#include "services/rpc/guard.h"

namespace tsunagi::identity {

absl::StatusOr<CertifiedProcess> AuthenticateClient(const RegistrarContext& context,
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
  const Authority& authority = context.authority;
  RETURN_IF_ERROR(crypto::VerifyChain({*certificate, authority.issuing.certificate},
                                      authority.root.certificate, context.clock.Now()));
  ASSIGN_OR_RETURN(rpc::Peer peer, rpc::PeerFromCertificate(crypto::ToPem(*certificate)));
  if (peer.federation != context.options.federation) {
    return absl::UnauthenticatedError(
        absl::StrCat("client certificate: expected one of federation `", context.options.federation, "`"));
  }
  return CertifiedProcess{std::move(peer.label), std::move(peer.process), std::move(peer.certificate_sha256),
                          peer.not_after};
}

}  // namespace tsunagi::identity
