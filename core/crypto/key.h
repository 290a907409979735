// Key pairs for signatures: ES256 (ECDSA P-256) and Ed25519.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "openssl/types.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi::crypto {

using Algorithm = common::v1::SignatureAlgorithm;

// A public key. Immutable; copies share it. Thread-safe.
class PublicKey {
 public:
  // DER SubjectPublicKeyInfo of P-256 or Ed25519. INVALID_ARGUMENT for anything else.
  static absl::StatusOr<PublicKey> FromDer(absl::string_view der);
  // The 32 raw bytes of an Ed25519 key.
  static absl::StatusOr<PublicKey> FromEd25519(absl::string_view raw);

  Algorithm algorithm() const { return algorithm_; }
  const std::string& der() const { return der_; }
  // First 16 bytes of SHA-256 of der(), lower-case hex.
  const std::string& id() const { return id_; }
  // The 32 raw bytes; only for Ed25519.
  std::string Ed25519Raw() const;
  // x and y, 32 bytes each; only for P-256.
  std::string P256Point() const;

  // True when `signature` (64 bytes; r ‖ s for ES256) is valid. r or s of 0 and other lengths are invalid.
  bool Verify(absl::string_view message, absl::string_view signature) const;

  EVP_PKEY* native() const { return key_.get(); }

 private:
  PublicKey() = default;
  friend class PrivateKey;
  static absl::StatusOr<PublicKey> FromNative(std::shared_ptr<EVP_PKEY> key);

  std::shared_ptr<EVP_PKEY> key_;
  Algorithm algorithm_ = common::v1::SIGNATURE_ALGORITHM_UNSPECIFIED;
  std::string der_;
  std::string id_;
};

// A private key. Immutable; copies share it. Thread-safe. Never printed.
class PrivateKey {
 public:
  static PrivateKey Generate(Algorithm algorithm);
  // PKCS#8 PEM without pass phrase.
  static absl::StatusOr<PrivateKey> FromPem(absl::string_view pem);
  // Loads the file, or generates a key and writes it with mode 0600. A file may hold the URI of a key in a
  // PKCS#11 token instead: see LoadHardwareKey. FAILED_PRECONDITION when others can read the file, or the
  // key in it is of another algorithm.
  static absl::StatusOr<PrivateKey> LoadOrCreate(const std::string& path, Algorithm algorithm);
  // The same for an ES256 key that gRPC and OpenSSL's TLS read as a file: a key in a token is refused.
  static absl::StatusOr<PrivateKey> LoadOrCreateForTls(const std::string& path);

  // Whether it stays in a PKCS#11 token.
  bool is_hardware() const { return is_hardware_; }
  // PKCS#8 PEM: for key files only. Not of a hardware key.
  std::string ToPem() const;
  const PublicKey& public_key() const { return public_key_; }
  Algorithm algorithm() const { return public_key_.algorithm(); }
  const std::string& id() const { return public_key_.id(); }

  // 64 bytes: r ‖ s for ES256.
  std::string Sign(absl::string_view message) const;

  EVP_PKEY* native() const { return public_key_.native(); }

 private:
  explicit PrivateKey(PublicKey public_key, bool is_hardware = false)
      : public_key_(std::move(public_key)), is_hardware_(is_hardware) {}
  static absl::StatusOr<PrivateKey> FromFile(absl::string_view text);
  PublicKey public_key_;
  bool is_hardware_;
};

}  // namespace tsunagi::crypto
