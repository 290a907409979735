#include "core/crypto/certificate.h"

#include <ctime>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/fatal.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/crypto/openssl.h"
#include "core/crypto/x509.h"
#include "openssl/err.h"
#include "openssl/pem.h"

namespace tsunagi::crypto {
namespace {

constexpr size_t kMaxCertificateBytes = 16384;
constexpr size_t kMaxPemBytes = 1 << 20;
constexpr size_t kMaxCertificatesInPem = 256;

absl::Status Invalid(absl::string_view what) {
  return SslError(absl::StatusCode::kInvalidArgument, absl::StrCat("not an acceptable certificate: ", what));
}

absl::StatusOr<absl::Time> ReadTime(const ASN1_TIME* time) {
  std::tm fields = {};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return Invalid("a date cannot be read");
  return absl::FromTimeT(timegm(&fields));
}

// The names of a certificate; none without the extension, an error when it is malformed or repeated.
absl::StatusOr<AltNames> ReadAltNamesOf(const X509* native) {
  int critical = 0;
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(native, NID_subject_alt_name, &critical, nullptr)));
  if (names == nullptr && critical == -1) return AltNames{};
  if (names == nullptr) return Invalid("subjectAltName is malformed or repeated");
  return ReadAltNames(*names);
}

absl::StatusOr<PublicKey> ReadPublicKey(const X509* native) {
  EvpPkeyPtr key(X509_get_pubkey(const_cast<X509*>(native)));
  if (key == nullptr) return Invalid("its public key cannot be read");
  return PublicKey::FromDer(ToDer(i2d_PUBKEY, key.get()));
}

}  // namespace

absl::StatusOr<Certificate> FromNative(const X509* native) {
  return ParseCertificateDer(ToDer(i2d_X509, native));
}

X509Ptr ToNative(const Certificate& certificate) {
  X509Ptr native = FromDer<X509Ptr>(d2i_X509, certificate.der);
  if (native == nullptr) Fatal("a parsed certificate cannot be parsed again");
  return native;
}

absl::StatusOr<Certificate> ParseCertificateDer(absl::string_view der) {
  if (der.size() > kMaxCertificateBytes) return Invalid("larger than 16 KiB");
  const X509Ptr native = FromDer<X509Ptr>(d2i_X509, der);
  if (native == nullptr) return Invalid("expected one X.509 certificate");
  const uint32_t flags = X509_get_extension_flags(native.get());
  if ((flags & EXFLAG_INVALID) != 0) return Invalid("an extension is malformed");
  ASSIGN_OR_RETURN(AltNames names, ReadAltNamesOf(native.get()));
  ASSIGN_OR_RETURN(const absl::Time not_before, ReadTime(X509_get0_notBefore(native.get())));
  ASSIGN_OR_RETURN(const absl::Time not_after, ReadTime(X509_get0_notAfter(native.get())));
  ASSIGN_OR_RETURN(PublicKey key, ReadPublicKey(native.get()));
  return Certificate{.der = std::string(der),
                     .sha256 = Sha256(der),
                     .uris = std::move(names.uris),
                     .dns_names = std::move(names.dns_names),
                     .not_before = not_before,
                     .not_after = not_after,
                     .is_ca = (flags & EXFLAG_CA) != 0,
                     .public_key = std::move(key)};
}

absl::StatusOr<Certificate> ParseCertificatePem(absl::string_view pem) {
  ASSIGN_OR_RETURN(std::vector<Certificate> certificates, ParseCertificatesPem(pem));
  if (certificates.size() != 1) return Invalid("expected one PEM block, got several");
  return std::move(certificates.front());
}

absl::StatusOr<std::vector<Certificate>> ParseCertificatesPem(absl::string_view pem) {
  if (pem.size() > kMaxPemBytes) return Invalid("PEM larger than 1 MiB");
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<Certificate> certificates;
  while (true) {
    const X509Ptr native(PEM_read_bio_X509(bio.get(), nullptr, RefusePassPhrase, nullptr));
    if (native == nullptr) break;
    if (certificates.size() == kMaxCertificatesInPem)
      return Invalid(absl::StrCat("more than ", kMaxCertificatesInPem, " certificates in one PEM"));
    ASSIGN_OR_RETURN(Certificate certificate, FromNative(native.get()));
    certificates.push_back(std::move(certificate));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (certificates.empty() || !at_end) return Invalid("expected PEM blocks `BEGIN CERTIFICATE`");
  ERR_clear_error();
  return certificates;
}

std::string ToPem(const Certificate& certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), ToNative(certificate).get()) != 1) Fatal("writing a certificate failed");
  return BioBytes(bio.get());
}

}  // namespace tsunagi::crypto
