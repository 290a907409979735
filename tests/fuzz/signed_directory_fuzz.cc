// Directory, entry and status list as a registrar could sign them: the signatures are right, the content is
// anything.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/clock.h"
#include "core/base/proto.h"
#include "core/crypto/envelope.h"
#include "identity/names.h"
#include "identity/trust.h"

namespace {

using namespace tsunagi;

constexpr char kName[] = "battery.example";

class FixedClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixSeconds(1'795'219'200); }
};

struct Signer {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
};

Signer Make(const std::string& uri, const Signer* issuer) {
  const auto key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  crypto::CertificateTemplate cert;
  cert.name = "fuzz";
  cert.not_before = FixedClock().Now() - absl::Hours(1);
  cert.not_after = FixedClock().Now() + absl::Hours(1);
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
  Signer status = Make(identity::StatusUri(kName), &root);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Federation federation;
  static const FixedClock clock;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  identity::TrustStore trust(federation.root.certificate, kName, clock);

  identity::v1::SignedDirectory directory;
  directory.add_chain(federation.directory.certificate.der);
  *directory.mutable_directory() = crypto::Sign(federation.directory.key, identity::kDirectoryPayload, bytes);
  (void)trust.AcceptDirectory(directory);

  identity::v1::Directory one_entry;
  one_entry.set_version(1'000);
  one_entry.set_federation(kName);
  one_entry.mutable_issued_at();
  *one_entry.add_entries() = crypto::Sign(federation.directory.key, identity::kParticipantPayload, bytes);
  *directory.mutable_directory() =
      crypto::Sign(federation.directory.key, identity::kDirectoryPayload, Encode(one_entry));
  (void)trust.AcceptDirectory(directory);

  identity::v1::SignedStatusList status;
  status.add_chain(federation.status.certificate.der);
  *status.mutable_status_list() = crypto::Sign(federation.status.key, identity::kStatusListPayload, bytes);
  (void)trust.AcceptStatusList(status);

  // The envelope itself, as it comes from the network.
  (void)directory.ParseFromString(bytes);
  (void)trust.AcceptDirectory(directory);
  return 0;
}
