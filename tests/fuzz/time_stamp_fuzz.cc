// Replies of a stamping authority, and tokens that were kept: what is opened as a reply is also a token over
// the same message.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/crypto/time_stamp.h"

namespace {

// The root of the authority that made the corpus, in its seed `root.pem`; it lives until 2056.
constexpr char kRoot[] = R"(-----BEGIN CERTIFICATE-----
MIIBfjCCASSgAwIBAgIRAJ6vYyvBq3VrcswXccyhRfEwCgYIKoZIzj0EAwIwGDEW
MBQGA1UEAwwNc3RhbXBpbmcgcm9vdDAgFw0yNjExMzAxMDQ4MDRaGA8yMDU2MTEy
MjEyNDgwNFowGDEWMBQGA1UEAwwNc3RhbXBpbmcgcm9vdDBZMBMGByqGSM49AgEG
CCqGSM49AwEHA0IABLfcA+aDEtumIF0C7ng+j6MF/J4wW4c46xYEu/p1gfQ/p6ZU
vkPpLvf2Rx3auXPpdJ+R9UXI4FKZDwtc/o2UYNajTTBLMA8GA1UdEwEB/wQFMAMB
Af8wDgYDVR0PAQH/BAQDAgEGMB0GA1UdDgQWBBR3mGzxAN5AauOEYPj+jWnvcZqz
xTAJBgNVHSMEAjAAMAoGCCqGSM49BAMCA0gAMEUCIFpV+qW5kr3nY2uMXRbka+kp
LvGPw4v350qZvjF/v75KAiEAz2TnohlWnDRBgoBuLP3pIq230O+3Ig6co8tPMIcC
TYs=
-----END CERTIFICATE-----
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace crypto = tsunagi::crypto;
  static const crypto::TimeStampVerifier verifier = crypto::TimeStampVerifier::FromPem(kRoot).value();
  const crypto::TimeStampQuery query = {"a checkpoint", "0123456789abcdef", ""};
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto stamped = verifier.OpenReply(bytes, query);
  if (stamped.ok() && verifier.Verify(stamped->token, query.message)->time != stamped->stamp.time) {
    std::abort();
  }
  crypto::TimeStampVerifier::FromPem(bytes).status().IgnoreError();
  verifier.Verify(bytes, query.message).status().IgnoreError();
  return 0;
}
