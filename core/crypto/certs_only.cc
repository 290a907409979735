#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/crypto/certificate.h"
#include "core/crypto/openssl.h"
#include "core/crypto/x509.h"

namespace tsunagi::crypto {
namespace {

constexpr size_t kMaxCertsOnlyBytes = 1 << 18;
constexpr int kMaxCertificates = 256;

absl::Status Invalid(absl::string_view what) {
  return SslError(absl::StatusCode::kInvalidArgument, absl::StrCat("not a certs-only message: ", what));
}

// The certificates of a message that has nothing else; null otherwise.
const STACK_OF(X509) * CertificatesOf(const PKCS7& message) {
  if (OBJ_obj2nid(message.type) != NID_pkcs7_signed || message.d.sign == nullptr) return nullptr;
  const PKCS7_SIGNED& content = *message.d.sign;
  const bool nothing_else = sk_PKCS7_SIGNER_INFO_num(content.signer_info) <= 0 &&
                            sk_X509_CRL_num(content.crl) <= 0 && content.contents != nullptr &&
                            OBJ_obj2nid(content.contents->type) == NID_pkcs7_data &&
                            content.contents->d.data == nullptr;
  return nothing_else ? content.cert : nullptr;
}

}  // namespace

absl::StatusOr<std::string> MakeCertsOnly(const std::vector<Certificate>& certificates) {
  const Pkcs7Ptr message(PKCS7_new());
  bool ok = PKCS7_set_type(message.get(), NID_pkcs7_signed) == 1 &&
            PKCS7_content_new(message.get(), NID_pkcs7_data) == 1 &&
            PKCS7_set_detached(message.get(), 1) >= 0;
  for (const Certificate& certificate : certificates) {
    ok = ok && PKCS7_add_certificate(message.get(), ToNative(certificate).get()) == 1;
  }
  const std::string der = ok ? ToDer(i2d_PKCS7, message.get()) : "";
  if (der.empty()) return SslError(absl::StatusCode::kInternal, "encoding a certs-only message failed");
  return der;
}

absl::StatusOr<std::vector<Certificate>> ParseCertsOnly(absl::string_view der) {
  if (der.size() > kMaxCertsOnlyBytes) return Invalid("larger than 256 KiB");
  const Pkcs7Ptr message = FromDer<Pkcs7Ptr>(d2i_PKCS7, der);
  if (message == nullptr) return Invalid("expected one PKCS#7 message in DER");
  const STACK_OF(X509)* natives = CertificatesOf(*message);
  const int count = natives == nullptr ? 0 : sk_X509_num(natives);
  if (count <= 0 || count > kMaxCertificates) {
    return Invalid(
        absl::StrCat("expected 1 to ", kMaxCertificates, " certificates and neither content nor signers"));
  }
  std::vector<Certificate> certificates;
  for (int i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(Certificate certificate, FromNative(sk_X509_value(natives, i)));
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

}  // namespace tsunagi::crypto
