#include "core/crypto/digest.h"

#include "core/base/fatal.h"
#include "core/crypto/openssl.h"
#include "openssl/core_names.h"
#include "openssl/crypto.h"
#include "openssl/params.h"

namespace tsunagi::crypto {
namespace {

// Fetched once: a fetch per digest costs more than the digest. Lives as long as the process.
const EVP_MD* Sha256Method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (method == nullptr) Fatal("OpenSSL has no SHA-256");
  return method;
}

EVP_MAC* HmacMethod() {
  static EVP_MAC* const method = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  if (method == nullptr) Fatal("OpenSSL has no HMAC");
  return method;
}

// The digest is looked up here, once for each context.
EVP_MAC_CTX* NewHmacContext() {
  EVP_MAC_CTX* const context = EVP_MAC_CTX_new(HmacMethod());
  char name[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                               OSSL_PARAM_construct_end()};
  if (context == nullptr || EVP_MAC_CTX_set_params(context, params) != 1) Fatal("HMAC failed");
  return context;
}

void StartHmac(EVP_MAC_CTX* context, absl::string_view key) {
  // A null key would keep the one of the call before.
  const unsigned char* bytes = key.empty() ? reinterpret_cast<const unsigned char*>("") : Bytes(key);
  if (EVP_MAC_init(context, bytes, key.size(), nullptr) != 1) Fatal("HMAC failed");
}

}  // namespace

Digest Sha256(std::initializer_list<absl::string_view> parts) {
  thread_local const EvpMdCtxPtr context(EVP_MD_CTX_new());
  bool ok = EVP_DigestInit_ex2(context.get(), Sha256Method(), nullptr) == 1;
  for (const absl::string_view part : parts) {
    ok = ok && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  }
  Digest digest(kDigestSize, '\0');
  ok = ok && EVP_DigestFinal_ex(context.get(), Bytes(digest), nullptr) == 1;
  if (!ok) Fatal("SHA-256 failed");
  return digest;
}

Digest HmacSha256(absl::string_view key, std::initializer_list<absl::string_view> parts) {
  thread_local const EvpMacCtxPtr context(NewHmacContext());
  StartHmac(context.get(), key);
  bool ok = true;
  for (const absl::string_view part : parts) {
    ok = ok && EVP_MAC_update(context.get(), Bytes(part), part.size()) == 1;
  }
  Digest mac(kDigestSize, '\0');
  size_t size = 0;
  ok = ok && EVP_MAC_final(context.get(), Bytes(mac), &size, mac.size()) == 1 && size == kDigestSize;
  if (!ok) Fatal("HMAC failed");
  return mac;
}

bool ConstantTimeEquals(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace tsunagi::crypto
