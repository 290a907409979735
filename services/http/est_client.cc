#include "services/http/est_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "core/base/bytes.h"
#include "core/base/status_macros.h"
#include "services/http/client.h"

namespace tsunagi::http {
namespace {

using crypto::Certificate;

constexpr absl::string_view kPath = "/.well-known/est/";
constexpr size_t kMaxReason = 400;

absl::StatusCode CodeOf(int http_status) {
  switch (http_status) {
    case 400:
    case 413:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 429:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

// What the registrar says, as one printable line.
std::string Reason(const HttpResponse& response) {
  const absl::string_view text = absl::StripAsciiWhitespace(response.body);
  return absl::Utf8SafeCEscape(text.substr(0, kMaxReason));
}

std::string UrlOf(absl::string_view est_url, absl::string_view operation) {
  absl::ConsumeSuffix(&est_url, "/");
  return absl::StrCat(est_url, kPath, operation);
}

absl::StatusOr<std::vector<Certificate>> FetchCertificates(const HttpsCall& call) {
  ASSIGN_OR_RETURN(const HttpResponse response, Fetch(call));
  if (response.status != 200) {
    return absl::Status(CodeOf(response.status),
                        absl::StrCat("registrar answered ", response.status, ": ", Reason(response)));
  }
  const std::string base64 = absl::StrReplaceAll(response.body, {{"\r", ""}, {"\n", ""}});
  absl::StatusOr<std::string> der = FromBase64(base64);
  if (!der.ok()) return absl::UnavailableError("registrar answered with no base64");
  auto certificates = crypto::ParseCertsOnly(*der);
  if (certificates.ok()) return certificates;
  return absl::UnavailableError(
      absl::StrCat("registrar answered with no certificates: ", certificates.status().message()));
}

bool LeadsToAny(const std::vector<Certificate>& chain, const std::vector<Certificate>& roots) {
  return std::any_of(roots.begin(), roots.end(), [&](const Certificate& root) {
    return crypto::VerifyChain(chain, root, absl::Now()).ok();
  });
}

absl::StatusOr<std::vector<Certificate>> Enroll(HttpsCall call, absl::string_view est_url,
                                                absl::string_view operation,
                                                const std::vector<Certificate>& roots,
                                                absl::string_view request_der) {
  call.method = "POST";
  call.url = UrlOf(est_url, operation);
  call.content_type = "application/pkcs10";
  call.headers.emplace_back("content-transfer-encoding", "base64");
  call.body = ToBase64(request_der);
  for (const Certificate& root : roots) call.root_pem += crypto::ToPem(root);
  ASSIGN_OR_RETURN(std::vector<Certificate> chain, FetchCertificates(call));
  if (chain.size() != 1)
    return absl::UnavailableError("registrar answered with more than the new certificate");

  HttpsCall cacerts;
  cacerts.url = UrlOf(est_url, "cacerts");
  cacerts.root_pem = call.root_pem;
  ASSIGN_OR_RETURN(const std::vector<Certificate> authorities, FetchCertificates(cacerts));
  for (const Certificate& authority : authorities) {
    const std::vector<Certificate> candidate = {chain.front(), authority};
    const bool is_root = std::any_of(
        roots.begin(), roots.end(), [&](const Certificate& root) { return root.sha256 == authority.sha256; });
    if (!is_root && LeadsToAny(candidate, roots)) return candidate;
  }
  if (LeadsToAny(chain, roots)) return chain;
  return absl::UnauthenticatedError("registrar answered with a certificate that leads to no root we believe");
}

}  // namespace

absl::StatusOr<Certificate> FetchRoot(absl::string_view est_url, absl::string_view root_sha256) {
  HttpsCall call;
  call.url = UrlOf(est_url, "cacerts");
  ASSIGN_OR_RETURN(std::vector<Certificate> certificates, FetchCertificates(call));
  for (Certificate& certificate : certificates) {
    if (ToHex(certificate.sha256) == root_sha256) return std::move(certificate);
  }
  return absl::UnauthenticatedError(absl::StrCat("`", est_url, "` has no root certificate with SHA-256 `",
                                                 root_sha256,
                                                 "`: check address and root_sha256 against the invitation"));
}

absl::StatusOr<std::string> FetchTrustBundle(absl::string_view est_url) {
  absl::ConsumeSuffix(&est_url, "/");
  HttpsCall call;
  call.url = absl::StrCat(est_url, kTrustBundlePath);
  ASSIGN_OR_RETURN(HttpResponse response, Fetch(call));
  if (response.status == 200) return std::move(response.body);
  return absl::UnavailableError(absl::StrCat("registrar answered ", response.status, ": ", Reason(response)));
}

absl::StatusOr<std::vector<Certificate>> SimpleEnroll(absl::string_view est_url,
                                                      const std::vector<Certificate>& roots,
                                                      absl::string_view label, absl::string_view code,
                                                      absl::string_view request_der) {
  HttpsCall call;
  call.headers.emplace_back("authorization",
                            absl::StrCat("Basic ", ToBase64(absl::StrCat(label, ":", code))));
  return Enroll(std::move(call), est_url, "simpleenroll", roots, request_der);
}

absl::StatusOr<std::vector<Certificate>> SimpleReenroll(absl::string_view est_url,
                                                        const std::vector<Certificate>& roots,
                                                        const crypto::PrivateKey& key,
                                                        const std::vector<Certificate>& chain,
                                                        absl::string_view request_der) {
  HttpsCall call;
  call.key_pem = key.ToPem();
  for (const Certificate& certificate : chain) call.certificate_pem += crypto::ToPem(certificate);
  return Enroll(std::move(call), est_url, "simplereenroll", roots, request_der);
}

}  // namespace tsunagi::http
