// Discovery documents and token responses of an OpenID Connect provider: what is taken is what was asked for.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/match.h"
#include "identity/openid/discovery.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto provider = tsunagi::openid::ParseDiscovery(text, "https://login.oem.example");
  if (provider.ok()) {
    for (const std::string& url :
         {provider->authorization_endpoint, provider->token_endpoint, provider->jwks_uri}) {
      if (!absl::StartsWith(url, "https://") || url.find_first_of(" \r\n#") != std::string::npos)
        std::abort();
    }
  }
  const auto token = tsunagi::openid::ParseTokenResponse(text);
  if (token.ok() && token->empty()) std::abort();
  if (tsunagi::openid::TokenError(text).find_first_of("\x1b\r\n") != std::string::npos) std::abort();
  return 0;
}
