// X.509 certificates of the federation (P-256).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/crypto/key.h"

namespace tsunagi::crypto {

// What a certificate says. Parsing does not trust: see VerifyChain.
struct Certificate {
  std::string der;
  std::string sha256;  // of der, 32 bytes
  std::vector<std::string> uris;
  std::vector<std::string> dns_names;
  absl::Time not_before;
  absl::Time not_after;
  bool is_ca = false;
  PublicKey public_key;
};

// One certificate. INVALID_ARGUMENT when it is none, or its key is neither P-256 nor Ed25519.
absl::StatusOr<Certificate> ParseCertificateDer(absl::string_view der);
absl::StatusOr<Certificate> ParseCertificatePem(absl::string_view pem);
// Every certificate of a PEM file, in order: at most 256.
absl::StatusOr<std::vector<Certificate>> ParseCertificatesPem(absl::string_view pem);

std::string ToPem(const Certificate& certificate);

// OK when `chain` (leaf first) leads to `root` at time `at`: signatures, validity, basicConstraints.
// UNAUTHENTICATED naming the reason otherwise.
absl::Status VerifyChain(const std::vector<Certificate>& chain, const Certificate& root, absl::Time at);

// What a CA puts into a new certificate. The subject's common name is `name`.
struct CertificateTemplate {
  std::string name;
  std::vector<std::string> uris;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;  // text form
  absl::Time not_before;
  absl::Time not_after;
  bool is_ca = false;        // keyCertSign, cRLSign; otherwise digitalSignature
  bool server_auth = false;  // extended key usages
  bool client_auth = false;
};

// Issues a certificate for `subject_key`, signed by `issuer_key` as `issuer`; self-signed when `issuer` is
// absent. The serial number is 16 random bytes.
absl::StatusOr<Certificate> IssueCertificate(const CertificateTemplate& cert, const PublicKey& subject_key,
                                             const PrivateKey& issuer_key,
                                             const std::optional<Certificate>& issuer);

// A PKCS#10 request (DER) for exactly these names, signed by `key`.
absl::StatusOr<std::string> MakeCertificateRequest(const PrivateKey& key, absl::string_view name,
                                                   const std::vector<std::string>& uris,
                                                   const std::vector<std::string>& dns_names);

// What a request asks for, its own signature checked.
struct CertificateRequest {
  std::vector<std::string> uris;
  std::vector<std::string> dns_names;
  PublicKey public_key;
};
// INVALID_ARGUMENT on anything but a valid, self-consistent request with a P-256 key.
absl::StatusOr<CertificateRequest> ParseCertificateRequest(absl::string_view der);

// A degenerate PKCS#7 (certs-only, DER) as EST returns it (RFC 7030 section 4.2.3), and its reverse: at most
// 256 certificates in 256 KiB.
absl::StatusOr<std::string> MakeCertsOnly(const std::vector<Certificate>& certificates);
absl::StatusOr<std::vector<Certificate>> ParseCertsOnly(absl::string_view der);

}  // namespace tsunagi::crypto
