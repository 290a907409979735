#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/crypto/certificate.h"
#include "identity/names.h"
#include "services/rpc/guard.h"

namespace tsunagi::rpc {
namespace {

absl::Status Refused(absl::string_view why) {
  return absl::UnauthenticatedError(absl::StrCat("client certificate: ", why));
}

absl::StatusOr<crypto::Certificate> Parse(absl::string_view pem) {
  absl::StatusOr<crypto::Certificate> certificate = crypto::ParseCertificatePem(pem);
  if (!certificate.ok()) return Refused(certificate.status().message());
  return certificate;
}

}  // namespace

absl::StatusOr<Peer> BelievedPeer(absl::string_view pem, const identity::Bundle& bundle, absl::Time at) {
  ASSIGN_OR_RETURN(Peer peer, PeerFromCertificate(pem));
  // What has expired is refused as that, by whoever looks at not_after.
  if (bundle.version == 0 || at >= peer.not_after) return peer;
  ASSIGN_OR_RETURN(const crypto::Certificate certificate, Parse(pem));
  ASSIGN_OR_RETURN(peer.not_after, identity::CountsUntil(certificate, bundle, at));
  return peer;
}

absl::StatusOr<Peer> PeerFromCertificate(absl::string_view pem) {
  ASSIGN_OR_RETURN(crypto::Certificate certificate, Parse(pem));
  if (certificate.is_ca) return Refused("is a certificate authority's");
  if (certificate.uris.size() != 1) {
    return Refused(absl::StrCat("has ", certificate.uris.size(), " URIs: expected exactly one"));
  }
  absl::StatusOr<identity::ProcessName> process = identity::ParseProcessUri(certificate.uris[0]);
  if (!process.ok()) return Refused(process.status().message());
  const std::string name = identity::ProcessDnsName(process->process, process->label, process->federation);
  if (certificate.dns_names.size() != 1 || certificate.dns_names[0] != name) {
    return Refused(absl::StrCat("expected exactly one DNS name, `", name, "`"));
  }
  Peer peer;
  peer.federation = std::move(process->federation);
  peer.label = std::move(process->label);
  peer.process = std::move(process->process);
  peer.certificate_sha256 = std::move(certificate.sha256);
  peer.not_after = certificate.not_after;
  return peer;
}

}  // namespace tsunagi::rpc
