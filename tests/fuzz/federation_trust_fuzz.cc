// The list of trusted federations and a roster as registrars could sign them: the signatures are right, the
// content is anything.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/proto.h"
#include "core/crypto/certificate.h"
#include "core/crypto/envelope.h"
#include "identity/federations.h"
#include "identity/names.h"

namespace {

using namespace tsunagi;

constexpr char kName[] = "battery.example";
const absl::Time kNow = absl::FromUnixSeconds(1'795'219'200);

struct Signer {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
};

Signer Make(const std::string& uri, const Signer* issuer) {
  const auto key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  crypto::CertificateTemplate cert;
  cert.name = "fuzz";
  cert.not_before = kNow - absl::Hours(1);
  cert.not_after = kNow + absl::Hours(1);
  cert.is_ca = issuer == nullptr;
  if (issuer != nullptr) cert.uris = {uri};
  std::optional<crypto::Certificate> parent;
  if (issuer != nullptr) parent = issuer->certificate;
  return {key, crypto::IssueCertificate(cert, key.public_key(), issuer != nullptr ? issuer->key : key, parent)
                   .value()};
}

struct Federation {
  Signer root = Make("", nullptr);
  Signer directory = Make(identity::DirectoryUri(kName), &root);
  identity::Bundle bundle = identity::PinnedBundle(root.certificate);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Federation federation;
  const std::string bytes(reinterpret_cast<const char*>(data), size);

  identity::v1::SignedFederationTrust trust;
  trust.add_chain(federation.directory.certificate.der);
  *trust.mutable_trust() = crypto::Sign(federation.directory.key, identity::kFederationTrustPayload, bytes);
  (void)identity::OpenFederationTrust(trust, kName, federation.bundle, kNow);

  // One record of a list.
  identity::v1::TrustedFederation record;
  if (record.ParseFromString(bytes)) (void)identity::CheckTrusted(record, kName);

  identity::TrustedFederation trusted;
  trusted.record.set_federation(kName);
  trusted.record.add_did_hosts(kName);
  trusted.bundle = std::make_shared<const identity::Bundle>(federation.bundle);
  identity::v1::SignedRoster roster;
  roster.add_chain(federation.directory.certificate.der);
  *roster.mutable_roster() = crypto::Sign(federation.directory.key, identity::kRosterPayload, bytes);
  (void)identity::OpenRoster(roster, trusted, kNow);

  // The envelope itself, as it comes from the network.
  if (roster.ParseFromString(bytes)) (void)identity::OpenRoster(roster, trusted, kNow);
  return 0;
}
