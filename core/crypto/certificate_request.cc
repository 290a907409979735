#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/crypto/certificate.h"
#include "core/crypto/openssl.h"
#include "core/crypto/x509.h"

namespace tsunagi::crypto {
namespace {

constexpr size_t kMaxRequestBytes = 16384;

absl::Status Invalid(absl::string_view what) {
  return SslError(absl::StatusCode::kInvalidArgument,
                  absl::StrCat("not an acceptable certificate request: ", what));
}

absl::Status AddNames(X509_REQ* native, const std::vector<std::string>& uris,
                      const std::vector<std::string>& dns_names) {
  ASSIGN_OR_RETURN(ExtensionPtr names, MakeAltNames(uris, dns_names, {}));
  if (names == nullptr) return absl::OkStatus();
  const ExtensionsPtr extensions(sk_X509_EXTENSION_new_null());
  if (sk_X509_EXTENSION_push(extensions.get(), names.get()) <= 0) return Invalid("out of memory");
  names.release();
  if (X509_REQ_add_extensions(native, extensions.get()) != 1) return Invalid("its names cannot be added");
  return absl::OkStatus();
}

// The key, after the request's own signature proved that the sender has its private half.
absl::StatusOr<PublicKey> CheckSignature(X509_REQ* native) {
  ASSIGN_OR_RETURN(PublicKey key, PublicKey::FromDer(ToDer(i2d_PUBKEY, X509_REQ_get0_pubkey(native))));
  if (key.algorithm() != common::v1::SIGNATURE_ALGORITHM_ES256) return Invalid("expected a P-256 key");
  if (X509_REQ_get_signature_nid(native) != NID_ecdsa_with_SHA256) {
    return Invalid("expected a signature by ecdsa-with-SHA256");
  }
  if (X509_REQ_verify(native, key.native()) != 1) return Invalid("its own signature is wrong");
  return key;
}

absl::StatusOr<AltNames> ReadNames(X509_REQ* native) {
  const ExtensionsPtr extensions(X509_REQ_get_extensions(native));
  if (extensions == nullptr) return AltNames{};
  int critical = 0;
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions.get(), NID_subject_alt_name, &critical, nullptr)));
  if (names == nullptr && critical == -1) return AltNames{};
  if (names == nullptr) return Invalid("subjectAltName is malformed or repeated");
  ASSIGN_OR_RETURN(AltNames read, ReadAltNames(*names));
  if (read.has_others) return Invalid("it asks for names other than URI and DNS names");
  return read;
}

}  // namespace

absl::StatusOr<std::string> MakeCertificateRequest(const PrivateKey& key, absl::string_view name,
                                                   const std::vector<std::string>& uris,
                                                   const std::vector<std::string>& dns_names) {
  const X509ReqPtr native(X509_REQ_new());
  RETURN_IF_ERROR(SetCommonName(X509_REQ_get_subject_name(native.get()), name));
  RETURN_IF_ERROR(AddNames(native.get(), uris, dns_names));
  if (X509_REQ_set_version(native.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(native.get(), key.native()) != 1 ||
      X509_REQ_sign(native.get(), key.native(), SignatureDigest(key)) <= 0) {
    return SslError(absl::StatusCode::kInternal, "signing a certificate request failed");
  }
  return ToDer(i2d_X509_REQ, native.get());
}

absl::StatusOr<CertificateRequest> ParseCertificateRequest(absl::string_view der) {
  if (der.size() > kMaxRequestBytes) return Invalid("larger than 16 KiB");
  const X509ReqPtr native = FromDer<X509ReqPtr>(d2i_X509_REQ, der);
  if (native == nullptr) return Invalid("expected one PKCS#10 request in DER");
  if (X509_REQ_get0_pubkey(native.get()) == nullptr) return Invalid("its public key cannot be read");
  ASSIGN_OR_RETURN(PublicKey key, CheckSignature(native.get()));
  ASSIGN_OR_RETURN(AltNames names, ReadNames(native.get()));
  return CertificateRequest{std::move(names.uris), std::move(names.dns_names), std::move(key)};
}

}  // namespace tsunagi::crypto
