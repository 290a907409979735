// Claims of a token whose signature is right: the verifier must refuse what is no set of claims.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/clock.h"
#include "core/base/proto.h"
#include "core/crypto/envelope.h"
#include "core/crypto/jwt.h"
#include "identity/names.h"
#include "identity/token.h"

namespace {

using namespace tsunagi;

constexpr char kName[] = "battery.example";

class FixedClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixSeconds(1'795'219'200); }
};

// A trust store whose directory lists one token key.
struct Federation {
  Federation() {
    crypto::CertificateTemplate cert;
    cert.name = "fuzz";
    cert.not_before = clock.Now() - absl::Hours(1);
    cert.not_after = clock.Now() + absl::Hours(1);
    cert.uris = {identity::DirectoryUri(kName)};
    const auto leaf = crypto::IssueCertificate(cert, token.public_key(), root_key, root).value();
    identity::v1::Participant registrar;
    registrar.set_did("did:web:battery.example:participants:registrar");
    registrar.set_label("registrar");
    identity::v1::ParticipantKey& key = *registrar.add_keys();
    key.set_key_id(token.id());
    key.set_purpose(identity::v1::KEY_PURPOSE_SIGNING);
    key.set_algorithm(token.algorithm());
    key.set_public_key(token.public_key().der());
    key.mutable_valid_from();
    identity::v1::Directory directory;
    directory.set_version(1);
    directory.set_federation(kName);
    directory.mutable_issued_at();
    *directory.add_entries() = crypto::Sign(token, identity::kParticipantPayload, Encode(registrar));
    identity::v1::SignedDirectory signed_directory;
    *signed_directory.mutable_directory() =
        crypto::Sign(token, identity::kDirectoryPayload, Encode(directory));
    signed_directory.add_chain(leaf.der);
    if (!trust.AcceptDirectory(signed_directory).ok()) std::abort();
  }
  crypto::Certificate Root() const {
    crypto::CertificateTemplate cert;
    cert.name = "root";
    cert.not_before = clock.Now() - absl::Hours(1);
    cert.not_after = clock.Now() + absl::Hours(1);
    cert.is_ca = true;
    return crypto::IssueCertificate(cert, root_key.public_key(), root_key, std::nullopt).value();
  }

  FixedClock clock;
  crypto::PrivateKey root_key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  crypto::PrivateKey token = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  crypto::Certificate root = Root();
  identity::TrustStore trust{root, kName, clock};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Federation federation;
  const std::string claims(reinterpret_cast<const char*>(data), size);
  identity::TokenVerifier verifier(federation.trust, federation.clock);
  const auto token = crypto::SignJwt(federation.token, identity::kTokenType, claims);
  if (token.ok()) (void)verifier.Verify(*token);
  (void)verifier.Verify(claims);
  return 0;
}
