#include "core/crypto/key.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/fatal.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/crypto/hardware_key.h"
#include "core/crypto/openssl.h"
#include "openssl/ecdsa.h"
#include "openssl/err.h"
#include "openssl/pem.h"

namespace tsunagi::crypto {
namespace {

constexpr size_t kSignatureSize = 64;
constexpr size_t kHalf = 32;
constexpr size_t kMaxKeyFileBytes = 16384;

// SubjectPublicKeyInfo has one DER form each: everything before the key's own bytes is fixed (RFC 5480, RFC
// 8410). Compressed points and explicit parameters, which would give one key two ids, do not match.
std::string P256Prefix() {
  return absl::HexStringToBytes("3059301306072a8648ce3d020106082a8648ce3d03010703420004");
}
std::string Ed25519Prefix() { return absl::HexStringToBytes("302a300506032b6570032100"); }
constexpr size_t kP256DerSize = 91;
constexpr size_t kEd25519DerSize = 44;

Algorithm AlgorithmOfDer(absl::string_view der) {
  static const std::string& p256 = *new std::string(P256Prefix());
  static const std::string& ed25519 = *new std::string(Ed25519Prefix());
  if (der.size() == kP256DerSize && absl::StartsWith(der, p256)) return common::v1::SIGNATURE_ALGORITHM_ES256;
  if (der.size() == kEd25519DerSize && absl::StartsWith(der, ed25519)) {
    return common::v1::SIGNATURE_ALGORITHM_ED25519;
  }
  return common::v1::SIGNATURE_ALGORITHM_UNSPECIFIED;
}

absl::Status UnsupportedKey() {
  return SslError(absl::StatusCode::kInvalidArgument,
                  "unsupported public key: expected P-256 (named curve, uncompressed) or Ed25519");
}

// An ASN.1 INTEGER of an unsigned big-endian number.
void AppendInteger(std::string& out, absl::string_view number) {
  while (number.size() > 1 && number[0] == '\0') number.remove_prefix(1);
  const bool negative = (static_cast<unsigned char>(number[0]) & 0x80) != 0;
  out += {'\x02', static_cast<char>(number.size() + (negative ? 1 : 0))};
  if (negative) out += '\0';
  out.append(number.data(), number.size());
}

// r ‖ s as the DER that OpenSSL takes.
std::string EcdsaDer(absl::string_view signature) {
  std::string integers;
  AppendInteger(integers, signature.substr(0, kHalf));
  AppendInteger(integers, signature.substr(kHalf));
  return absl::StrCat(absl::string_view("\x30", 1), std::string(1, static_cast<char>(integers.size())),
                      integers);
}

std::string EcdsaRaw(absl::string_view der) {
  const auto signature = FromDer<SslUniquePtr<ECDSA_SIG, ECDSA_SIG_free>>(d2i_ECDSA_SIG, der);
  std::string raw(kSignatureSize, '\0');
  if (signature == nullptr ||
      BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), Bytes(raw), kHalf) != static_cast<int>(kHalf) ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), Bytes(raw) + kHalf, kHalf) != static_cast<int>(kHalf)) {
    Fatal("ECDSA gave an impossible signature");
  }
  return raw;
}

bool VerifyEs256(EVP_PKEY* key, absl::string_view message, absl::string_view signature) {
  const Digest digest = Sha256(message);
  const std::string der = EcdsaDer(signature);
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new(key, nullptr));
  return context != nullptr && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_verify(context.get(), Bytes(der), der.size(), Bytes(absl::string_view(digest)),
                         digest.size()) == 1;
}

bool VerifyEd25519(EVP_PKEY* key, absl::string_view message, absl::string_view signature) {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  return context != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(message),
                          message.size()) == 1;
}

std::string SignEs256(EVP_PKEY* key, absl::string_view message) {
  const Digest digest = Sha256(message);
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new(key, nullptr));
  std::string der(80, '\0');
  size_t size = der.size();
  if (context == nullptr || EVP_PKEY_sign_init(context.get()) != 1 ||
      EVP_PKEY_sign(context.get(), Bytes(der), &size, Bytes(absl::string_view(digest)), digest.size()) != 1) {
    Fatal("signing with ES256 failed");
  }
  return EcdsaRaw(absl::string_view(der).substr(0, size));
}

std::string SignEd25519(EVP_PKEY* key, absl::string_view message) {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  std::string signature(kSignatureSize, '\0');
  size_t size = signature.size();
  if (context == nullptr || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), Bytes(signature), &size, Bytes(message), message.size()) != 1) {
    Fatal("signing with Ed25519 failed");
  }
  return signature;
}

}  // namespace

absl::StatusOr<PublicKey> PublicKey::FromNative(std::shared_ptr<EVP_PKEY> native) {
  PublicKey key;
  key.der_ = ToDer(i2d_PUBKEY, native.get());
  key.algorithm_ = AlgorithmOfDer(key.der_);
  if (key.algorithm_ == common::v1::SIGNATURE_ALGORITHM_UNSPECIFIED) return UnsupportedKey();
  key.key_ = std::move(native);
  key.id_ = ToHex(absl::string_view(Sha256(key.der_)).substr(0, 16));
  return key;
}

absl::StatusOr<PublicKey> PublicKey::FromDer(absl::string_view der) {
  if (AlgorithmOfDer(der) == common::v1::SIGNATURE_ALGORITHM_UNSPECIFIED) return UnsupportedKey();
  // Parsing checks that the point lies on the curve.
  EvpPkeyPtr native = crypto::FromDer<EvpPkeyPtr>(d2i_PUBKEY, der);
  if (native == nullptr) return UnsupportedKey();
  return FromNative(std::shared_ptr<EVP_PKEY>(std::move(native)));
}

absl::StatusOr<PublicKey> PublicKey::FromEd25519(absl::string_view raw) {
  return FromDer(absl::StrCat(Ed25519Prefix(), raw));
}

std::string PublicKey::Ed25519Raw() const { return der_.substr(Ed25519Prefix().size()); }

std::string PublicKey::P256Point() const { return der_.substr(P256Prefix().size()); }

bool PublicKey::Verify(absl::string_view message, absl::string_view signature) const {
  if (signature.size() != kSignatureSize) return false;
  const bool valid = algorithm_ == common::v1::SIGNATURE_ALGORITHM_ES256
                         ? VerifyEs256(key_.get(), message, signature)
                         : VerifyEd25519(key_.get(), message, signature);
  if (!valid) ERR_clear_error();
  return valid;
}

PrivateKey PrivateKey::Generate(Algorithm algorithm) {
  EvpPkeyPtr native(algorithm == common::v1::SIGNATURE_ALGORITHM_ES256
                        ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                        : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (native == nullptr) Fatal("generating a key failed");
  return PrivateKey(PublicKey::FromNative(std::shared_ptr<EVP_PKEY>(std::move(native))).value());
}

absl::StatusOr<PrivateKey> PrivateKey::FromPem(absl::string_view pem) {
  constexpr absl::string_view kExpected =
      "not a private key: expected one PKCS#8 PEM block without pass phrase";
  if (!absl::StartsWith(pem, "-----BEGIN PRIVATE KEY-----")) return absl::InvalidArgumentError(kExpected);
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EvpPkeyPtr native(PEM_read_bio_PrivateKey(bio.get(), nullptr, RefusePassPhrase, nullptr));
  if (native == nullptr) return SslError(absl::StatusCode::kInvalidArgument, kExpected);
  ASSIGN_OR_RETURN(PublicKey key, PublicKey::FromNative(std::shared_ptr<EVP_PKEY>(std::move(native))));
  return PrivateKey(std::move(key));
}

absl::StatusOr<PrivateKey> PrivateKey::FromFile(absl::string_view text) {
  if (!IsHardwareKey(text)) return FromPem(text);
  ASSIGN_OR_RETURN(std::shared_ptr<EVP_PKEY> native, LoadHardwareKey(text));
  ASSIGN_OR_RETURN(PublicKey key, PublicKey::FromNative(std::move(native)));
  return PrivateKey(std::move(key), /*is_hardware=*/true);
}

absl::StatusOr<PrivateKey> PrivateKey::LoadOrCreate(const std::string& path, Algorithm algorithm) {
  absl::StatusOr<std::string> pem = ReadSecretFile(path, kMaxKeyFileBytes);
  if (absl::IsNotFound(pem.status())) {
    const PrivateKey fresh = Generate(algorithm);
    const absl::Status written = WriteNewFile(path, fresh.ToPem(), 0600);
    // Another process of this participant may have been faster: then its key is the one.
    if (!absl::IsAlreadyExists(written)) {
      RETURN_IF_ERROR(written);
      return fresh;
    }
    pem = ReadSecretFile(path, kMaxKeyFileBytes);
  }
  RETURN_IF_ERROR(pem.status());
  absl::StatusOr<PrivateKey> key = FromFile(*pem);
  if (!key.ok()) return absl::FailedPreconditionError(absl::StrCat("`", path, "`: ", key.status().message()));
  if (key->algorithm() != algorithm) {
    return absl::FailedPreconditionError(absl::StrCat("`", path,
                                                      "` holds a key of another algorithm: expected ",
                                                      common::v1::SignatureAlgorithm_Name(algorithm)));
  }
  return key;
}

absl::StatusOr<PrivateKey> PrivateKey::LoadOrCreateForTls(const std::string& path) {
  ASSIGN_OR_RETURN(PrivateKey key, LoadOrCreate(path, common::v1::SIGNATURE_ALGORITHM_ES256));
  if (!key.is_hardware()) return key;
  return absl::FailedPreconditionError(
      absl::StrCat("`", path, "` names a key in a token: expected a PEM file, since TLS reads it as one"));
}

std::string PrivateKey::ToPem() const {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  if (bio == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), native(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    Fatal("writing a private key failed");
  }
  return BioBytes(bio.get());
}

std::string PrivateKey::Sign(absl::string_view message) const {
  return algorithm() == common::v1::SIGNATURE_ALGORITHM_ES256 ? SignEs256(native(), message)
                                                              : SignEd25519(native(), message);
}

}  // namespace tsunagi::crypto
