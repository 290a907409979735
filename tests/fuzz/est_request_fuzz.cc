// What strangers send to EST: credentials, body, certificate request.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/crypto/certificate.h"
#include "identity/names.h"
#include "services/identity/est_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsunagi;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  (void)identity::ParseBasicAuthorization(bytes);
  (void)identity::ParseBasicAuthorization(absl::StrCat("Basic ", ToBase64(bytes)));
  (void)identity::ParseProcessUri(bytes);
  const auto der = identity::ParseEstBody("application/pkcs10", bytes);
  if (der.ok()) (void)crypto::ParseCertificateRequest(*der);
  return 0;
}
