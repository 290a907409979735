#include "core/crypto/password.h"

#include <sodium.h>

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/bytes.h"
#include "core/base/fatal.h"

namespace tsunagi::crypto {

PasswordHasher::PasswordHasher(PasswordCost cost) : cost_(cost) {
  if (::sodium_init() < 0) Fatal("libsodium does not start");
}

absl::StatusOr<std::string> PasswordHasher::Hash(absl::string_view password) const {
  std::array<char, crypto_pwhash_STRBYTES> text = {};
  if (::crypto_pwhash_str_alg(text.data(), password.data(), password.size(), cost_.passes, cost_.memory_bytes,
                              crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return absl::ResourceExhaustedError("no memory to hash a password: try again");
  }
  return std::string(text.data());
}

std::string PasswordHasher::Decoy(Random& random) const {
  // The alphabet of base64, without padding: 22 and 43 characters.
  const auto text = [](std::string bytes) { return absl::StrReplaceAll(ToBase64(bytes), {{"=", ""}}); };
  return absl::StrCat("$argon2id$v=19$m=", cost_.memory_bytes / 1024, ",t=", cost_.passes, ",p=1$",
                      text(random.Bytes(crypto_pwhash_SALTBYTES)), "$", text(random.Bytes(32)));
}

bool PasswordHasher::Verify(absl::string_view password, const std::string& hash) {
  // libsodium reads a text that ends with a null byte.
  if (hash.size() >= crypto_pwhash_STRBYTES || hash.find('\0') != std::string::npos) return false;
  return ::crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

bool PasswordHasher::IsOutdated(const std::string& hash) const {
  return hash.size() >= crypto_pwhash_STRBYTES ||
         ::crypto_pwhash_str_needs_rehash(hash.c_str(), cost_.passes, cost_.memory_bytes) != 0;
}

}  // namespace tsunagi::crypto
