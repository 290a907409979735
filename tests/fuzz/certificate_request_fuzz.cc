// PKCS#10 requests of newcomers: what is accepted has visible names and a P-256 key.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/crypto/certificate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto request = tsunagi::crypto::ParseCertificateRequest({reinterpret_cast<const char*>(data), size});
  if (!request.ok()) return 0;
  if (request->public_key.algorithm() != tsunagi::common::v1::SIGNATURE_ALGORITHM_ES256) std::abort();
  for (const auto* names : {&request->uris, &request->dns_names}) {
    for (const std::string& name : *names) {
      for (const char c : name) {
        if (c <= 0x20 || c >= 0x7F) std::abort();
      }
    }
  }
  return 0;
}
