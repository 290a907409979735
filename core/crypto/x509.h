// What the certificate sources share. Not for other folders: they use certificate.h.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/crypto/certificate.h"
#include "core/crypto/openssl.h"

namespace tsunagi::crypto {

// Names of a subjectAltName extension.
struct AltNames {
  std::vector<std::string> uris;
  std::vector<std::string> dns_names;
  bool has_others = false;  // names of other kinds
};

// INVALID_ARGUMENT when a URI or DNS name is empty or has characters other than visible ASCII.
absl::StatusOr<AltNames> ReadAltNames(const GENERAL_NAMES& names);

// The subjectAltName extension for these names; null when there are none. INVALID_ARGUMENT for an address
// that is no IP address.
absl::StatusOr<ExtensionPtr> MakeAltNames(const std::vector<std::string>& uris,
                                          const std::vector<std::string>& dns_names,
                                          const std::vector<std::string>& ip_addresses);

// Sets the only attribute of a subject: its common name, 1 to 64 bytes of UTF-8.
absl::Status SetCommonName(X509_NAME* subject, absl::string_view name);

// The digest to sign with under `key`: none for Ed25519.
const EVP_MD* SignatureDigest(const PrivateKey& key);

// The native form of a parsed certificate; never null.
X509Ptr ToNative(const Certificate& certificate);

// A native certificate as a value: ParseCertificateDer of its DER.
absl::StatusOr<Certificate> FromNative(const X509* native);

}  // namespace tsunagi::crypto
