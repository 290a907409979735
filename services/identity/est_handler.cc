#include "services/identity/est_handler.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "services/identity/est_request.h"

namespace tsunagi::identity {
namespace {

using crypto::Certificate;
using http::HttpRequest;
using http::HttpResponse;

constexpr size_t kLine = 64;

std::string Base64Lines(absl::string_view bytes) {
  const std::string text = ToBase64(bytes);
  std::string lines;
  for (size_t at = 0; at < text.size(); at += kLine) absl::StrAppend(&lines, text.substr(at, kLine), "\n");
  return lines;
}

HttpResponse Text(int status, absl::string_view text) {
  return {status, "text/plain; charset=utf-8", absl::StrCat(text, "\n"), {}};
}

HttpResponse Refusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return Text(400, status.message());
    case absl::StatusCode::kUnauthenticated: {
      HttpResponse response = Text(401, status.message());
      response.headers.emplace_back("www-authenticate", "Basic realm=\"est\", charset=\"UTF-8\"");
      return response;
    }
    case absl::StatusCode::kPermissionDenied:
      return Text(403, status.message());
    case absl::StatusCode::kResourceExhausted: {
      HttpResponse response = Text(429, status.message());
      response.headers.emplace_back("retry-after", "60");
      return response;
    }
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
      return Text(503, "the registrar is busy: try again");
    default:
      log::Error("EST request failed", {{"reason", std::string(status.message())}});
      return Text(500, "internal error");
  }
}

absl::StatusOr<HttpResponse> CertsOnly(absl::string_view content_type,
                                       const std::vector<Certificate>& certificates) {
  ASSIGN_OR_RETURN(const std::string der, crypto::MakeCertsOnly(certificates));
  return HttpResponse{
      200, std::string(content_type), Base64Lines(der), {{"content-transfer-encoding", "base64"}}};
}

absl::StatusOr<HttpResponse> CaCerts(const Registrar& registrar) {
  const std::shared_ptr<const Authority> authority = registrar.context().authority.Get();
  std::vector<Certificate> certificates =
      registrar.trust().View()->bundle->RootsAt(registrar.context().clock.Now());
  certificates.push_back(authority->issuing.certificate);
  return CertsOnly("application/pkcs7-mime", certificates);
}

absl::StatusOr<HttpResponse> SimpleEnroll(Registrar& registrar, const HttpRequest& request) {
  ASSIGN_OR_RETURN(BasicCredentials credentials, ParseBasicAuthorization(request.Header("authorization")));
  ASSIGN_OR_RETURN(std::string der, ParseEstBody(request.Header("content-type"), request.body));
  const EnrolRequest enrol = {std::move(credentials.user), std::move(credentials.password), std::move(der),
                              request.peer_address};
  ASSIGN_OR_RETURN(const Certificate certificate, WaitFor<Certificate>([&](Done<Certificate> done) {
                     registrar.enrolment().Enrol(enrol, std::move(done));
                   }));
  return CertsOnly("application/pkcs7-mime; smime-type=certs-only", {certificate});
}

absl::StatusOr<HttpResponse> SimpleReenroll(Registrar& registrar, const HttpRequest& request) {
  if (request.client_certificate_der.empty()) {
    return absl::UnauthenticatedError("a renewal needs the current certificate as TLS client certificate");
  }
  ASSIGN_OR_RETURN(std::string der, ParseEstBody(request.Header("content-type"), request.body));
  const RenewRequest renew = {request.client_certificate_der, std::move(der)};
  ASSIGN_OR_RETURN(const Certificate certificate, WaitFor<Certificate>([&](Done<Certificate> done) {
                     registrar.enrolment().Renew(renew, std::move(done));
                   }));
  return CertsOnly("application/pkcs7-mime; smime-type=certs-only", {certificate});
}

}  // namespace

HttpResponse HandleEst(Registrar& registrar, const HttpRequest& request) {
  absl::string_view operation = request.target;
  absl::ConsumePrefix(&operation, "/.well-known/est/");
  absl::StatusOr<HttpResponse> response;
  if (operation == "cacerts" && request.method == "GET") {
    response = CaCerts(registrar);
  } else if (operation == "simpleenroll" && request.method == "POST") {
    response = SimpleEnroll(registrar, request);
  } else if (operation == "simplereenroll" && request.method == "POST") {
    response = SimpleReenroll(registrar, request);
  } else {
    return Text(404, "expected GET cacerts, POST simpleenroll or POST simplereenroll");
  }
  return response.ok() ? *std::move(response) : Refusal(response.status());
}

}  // namespace tsunagi::identity
