// Certificates from outside, alone and as EST's certs-only message: what is read can be written and read
// again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "core/crypto/certificate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace crypto = tsunagi::crypto;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto pem = crypto::ParseCertificatesPem(bytes);
  const auto certificates = crypto::ParseCertsOnly(bytes);
  if (const auto alone = crypto::ParseCertificateDer(bytes); alone.ok()) {
    if (crypto::ParseCertificatePem(crypto::ToPem(*alone))->der != alone->der) std::abort();
    crypto::VerifyChain({*alone}, *alone, alone->not_before).IgnoreError();
  }
  if (!certificates.ok()) return 0;
  const auto again = crypto::ParseCertsOnly(crypto::MakeCertsOnly(*certificates).value());
  if (!again.ok() || again->size() != certificates->size()) std::abort();
  for (size_t i = 0; i < again->size(); ++i) {
    if ((*again)[i].der != (*certificates)[i].der) std::abort();
  }
  return 0;
}
