#include <utility>

#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/crypto/certificate.h"
#include "core/crypto/openssl.h"
#include "core/crypto/x509.h"
#include "openssl/rand.h"

namespace tsunagi::crypto {
namespace {

constexpr size_t kSerialBytes = 16;

absl::Status Failed(absl::string_view what) { return SslError(absl::StatusCode::kInternal, what); }

absl::Status CheckTemplate(const CertificateTemplate& cert, const PrivateKey& issuer_key,
                           const std::optional<Certificate>& issuer, const PublicKey& subject_key) {
  if (cert.not_after <= cert.not_before) {
    return absl::InvalidArgumentError("the certificate would end before it begins");
  }
  const PublicKey& signer = issuer.has_value() ? issuer->public_key : subject_key;
  if (signer.der() != issuer_key.public_key().der()) {
    return absl::InvalidArgumentError("the issuer's key does not belong to the issuer's certificate");
  }
  if (issuer.has_value() && !issuer->is_ca) return absl::InvalidArgumentError("the issuer is not a CA");
  return absl::OkStatus();
}

absl::Status SetSerial(X509* native) {
  unsigned char bytes[kSerialBytes];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1) return Failed("no randomness for a serial number");
  const BignumPtr number(BN_bin2bn(bytes, sizeof(bytes), nullptr));
  if (number == nullptr || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(native)) == nullptr) {
    return Failed("setting a serial number failed");
  }
  return absl::OkStatus();
}

absl::Status SetValidity(X509* native, const CertificateTemplate& cert) {
  if (ASN1_TIME_set(X509_getm_notBefore(native), absl::ToTimeT(cert.not_before)) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(native), absl::ToTimeT(cert.not_after)) == nullptr) {
    return Failed("setting the validity failed");
  }
  return absl::OkStatus();
}

// `value` is OpenSSL's configuration text: only constants of this file, never input.
absl::Status AddExtension(X509* native, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, native, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  if (extension == nullptr || X509_add_ext(native, extension.get(), -1) != 1) {
    return Failed("adding an extension failed");
  }
  return absl::OkStatus();
}

absl::Status AddUsages(X509* native, X509* issuer, const CertificateTemplate& cert) {
  RETURN_IF_ERROR(AddExtension(native, issuer, NID_basic_constraints,
                               cert.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE"));
  RETURN_IF_ERROR(AddExtension(native, issuer, NID_key_usage,
                               cert.is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature"));
  std::vector<std::string> extended;
  if (cert.server_auth) extended.push_back("serverAuth");
  if (cert.client_auth) extended.push_back("clientAuth");
  if (extended.empty()) return absl::OkStatus();
  return AddExtension(native, issuer, NID_ext_key_usage, absl::StrJoin(extended, ","));
}

absl::Status AddNames(X509* native, const CertificateTemplate& cert) {
  ASSIGN_OR_RETURN(const ExtensionPtr names, MakeAltNames(cert.uris, cert.dns_names, cert.ip_addresses));
  if (names != nullptr && X509_add_ext(native, names.get(), -1) != 1) return Failed("adding names failed");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Certificate> IssueCertificate(const CertificateTemplate& cert, const PublicKey& subject_key,
                                             const PrivateKey& issuer_key,
                                             const std::optional<Certificate>& issuer) {
  RETURN_IF_ERROR(CheckTemplate(cert, issuer_key, issuer, subject_key));
  const X509Ptr native(X509_new());
  const X509Ptr issuer_native = issuer.has_value() ? ToNative(*issuer) : nullptr;
  X509* const signer = issuer_native == nullptr ? native.get() : issuer_native.get();
  RETURN_IF_ERROR(SetSerial(native.get()));
  RETURN_IF_ERROR(SetValidity(native.get(), cert));
  RETURN_IF_ERROR(SetCommonName(X509_get_subject_name(native.get()), cert.name));
  if (X509_set_version(native.get(), X509_VERSION_3) != 1 ||
      X509_set_pubkey(native.get(), subject_key.native()) != 1 ||
      X509_set_issuer_name(native.get(), X509_get_subject_name(signer)) != 1) {
    return Failed("preparing a certificate failed");
  }
  RETURN_IF_ERROR(AddUsages(native.get(), signer, cert));
  RETURN_IF_ERROR(AddExtension(native.get(), signer, NID_subject_key_identifier, "hash"));
  RETURN_IF_ERROR(AddExtension(native.get(), signer, NID_authority_key_identifier, "keyid"));
  RETURN_IF_ERROR(AddNames(native.get(), cert));
  if (X509_sign(native.get(), issuer_key.native(), SignatureDigest(issuer_key)) <= 0) {
    return Failed("signing a certificate failed");
  }
  return FromNative(native.get());
}

}  // namespace tsunagi::crypto
