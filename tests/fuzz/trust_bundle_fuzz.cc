// A trust bundle as whoever passes it on, or a root, could make it: the signature is right, the content is
// anything.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/clock.h"
#include "core/base/proto.h"
#include "core/crypto/envelope.h"
#include "identity/bundle.h"
#include "identity/trust.h"

namespace {

using namespace tsunagi;

constexpr char kName[] = "battery.example";

class FixedClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixSeconds(1'795'219'200); }
};

struct Ca {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
};

Ca Make(const Ca* issuer) {
  const auto key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  crypto::CertificateTemplate cert;
  cert.name = issuer == nullptr ? "root" : "issuing";
  cert.not_before = FixedClock().Now() - absl::Hours(1);
  cert.not_after = FixedClock().Now() + absl::Hours(1);
  cert.is_ca = true;
  std::optional<crypto::Certificate> parent;
  if (issuer != nullptr) parent = issuer->certificate;
  return {key, crypto::IssueCertificate(cert, key.public_key(), issuer != nullptr ? issuer->key : key, parent)
                   .value()};
}

struct Federation {
  Ca root = Make(nullptr);
  Ca issuing = Make(&root);
};

void Accept(const Federation& federation, const std::string& bytes, const identity::v1::TrustBundle* real) {
  static const FixedClock clock;
  identity::TrustStore trust(federation.root.certificate, kName, clock);
  identity::v1::SignedTrustBundle signed_bundle;
  signed_bundle.set_bundle(real != nullptr ? Encode(*real) : bytes);
  *signed_bundle.add_signatures() =
      crypto::Sign(federation.root.key, identity::kTrustBundlePayload, signed_bundle.bundle());
  signed_bundle.mutable_signatures(0)->clear_payload();
  const bool accepted = trust.AcceptBundle(signed_bundle).ok();
  // Whatever was accepted leaves somebody to believe.
  if (accepted && trust.RootsPem().empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Federation federation;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  Accept(federation, bytes, nullptr);

  // The input's anchors with real certificates: the parser gets past them.
  identity::v1::TrustBundle bundle;
  if (bundle.ParseFromString(bytes)) {
    bundle.set_federation(kName);
    for (int i = 0; i < bundle.anchors_size() && i < 8; ++i) {
      const bool is_root = bundle.anchors(i).kind() == identity::v1::ANCHOR_KIND_ROOT;
      bundle.mutable_anchors(i)->set_certificate(
          (is_root ? federation.root : federation.issuing).certificate.der);
    }
    Accept(federation, bytes, &bundle);
  }

  // As it comes from the network.
  static const FixedClock clock;
  identity::TrustStore trust(federation.root.certificate, kName, clock);
  identity::v1::SignedTrustBundle signed_bundle;
  if (signed_bundle.ParseFromString(bytes)) {
    (void)trust.AcceptBundle(signed_bundle);
    (void)trust.RestoreBundle(signed_bundle);
  }
  return 0;
}
