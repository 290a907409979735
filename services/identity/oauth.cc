#include "services/identity/oauth.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/entries.h"
#include "nlohmann/json.hpp"
#include "services/http/form.h"
#include "services/identity/client_certificate.h"

namespace tsunagi::identity {
namespace {

using http::Form;
using http::HttpRequest;
using http::HttpResponse;
using nlohmann::json;

constexpr char kClientCredentials[] = "client_credentials";
constexpr char kTokenExchange[] = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr char kAccessTokenType[] = "urn:ietf:params:oauth:token-type:access_token";

// An error as RFC 6749 section 5.2 words it.
struct OauthError {
  int http_status;
  absl::string_view code;
  std::string description;
};

HttpResponse Answer(int status, const json& body) {
  // Descriptions may name what a client sent: bytes that are no UTF-8 are replaced.
  return {status,
          "application/json",
          body.dump(-1, ' ', false, json::error_handler_t::replace),
          {{"cache-control", "no-store"}, {"pragma", "no-cache"}}};
}

HttpResponse Answer(const OauthError& error) {
  return Answer(error.http_status,
                {{"error", std::string(error.code)}, {"error_description", error.description}});
}

HttpResponse Answer(const absl::Status& status) {
  const std::string why(status.message());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return Answer(OauthError{400, "invalid_request", why});
    case absl::StatusCode::kNotFound:
      return Answer(OauthError{400, "invalid_target", why});
    case absl::StatusCode::kUnauthenticated:
      return Answer(OauthError{401, "invalid_client", why});
    case absl::StatusCode::kPermissionDenied:
      return Answer(OauthError{400, "unauthorized_client", why});
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kResourceExhausted:
      return Answer(OauthError{503, "temporarily_unavailable", "the registrar is busy: try again"});
    default:
      log::Error("token request failed", {{"reason", why}});
      return Answer(OauthError{500, "server_error", "internal error"});
  }
}

std::string Value(const Form& form, const std::string& name) {
  const auto found = form.find(name);
  return found == form.end() ? "" : found->second;
}

// What the tokens of the federation cannot be narrowed to, and other ways to authenticate.
std::optional<OauthError> FindUnsupported(const HttpRequest& request, const Form& form) {
  if (!request.Header("authorization").empty() || form.contains("client_secret") ||
      form.contains("client_assertion") || form.contains("actor_token")) {
    return OauthError{400, "invalid_request",
                      "clients and actors authenticate by their TLS certificate and by nothing else"};
  }
  if (form.contains("scope"))
    return OauthError{400, "invalid_scope", "`scope` is not supported: leave it out"};
  // A token that was passed on stays at home: who acts for whom is nobody's business elsewhere.
  const bool exchanges = Value(form, "grant_type") == kTokenExchange;
  if (form.contains("resource") || (exchanges && form.contains("audience"))) {
    return OauthError{
        400, "invalid_target",
        "tokens are for the whole federation: leave `resource` out, and `audience` when exchanging"};
  }
  return std::nullopt;
}

// `client_id`, when given, must be the DID of the certificate's participant.
absl::Status CheckClientId(const RegistrarContext& context, const CertifiedProcess& process,
                           const std::string& client_id) {
  if (client_id.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const StoredParticipant entry, ActiveEntry(context.journal.store(), process.label));
  if (client_id == entry.participant().did()) return absl::OkStatus();
  return absl::UnauthenticatedError("`client_id` is not the DID of the certificate's participant");
}

absl::StatusOr<v1::IssueTokenResponse> Grant(Registrar& registrar, const CertifiedProcess& process,
                                             const Form& form) {
  if (Value(form, "grant_type") == kClientCredentials) {
    return WaitFor<v1::IssueTokenResponse>(
        [&](auto done) { registrar.tokens().Issue(process, std::move(done), Value(form, "audience")); });
  }
  const std::string subject_token = Value(form, "subject_token");
  if (subject_token.empty() || Value(form, "subject_token_type") != kAccessTokenType) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected `subject_token`, and `subject_token_type` ", kAccessTokenType));
  }
  const std::string requested = Value(form, "requested_token_type");
  if (!requested.empty() && requested != kAccessTokenType) {
    return absl::InvalidArgumentError(absl::StrCat("`requested_token_type`: expected ", kAccessTokenType));
  }
  return WaitFor<v1::IssueTokenResponse>(
      [&](auto done) { registrar.tokens().Exchange(process, subject_token, std::move(done)); });
}

absl::StatusOr<json> Token(Registrar& registrar, const CertifiedProcess& process, const Form& form) {
  RETURN_IF_ERROR(CheckClientId(registrar.context(), process, Value(form, "client_id")));
  ASSIGN_OR_RETURN(const v1::IssueTokenResponse issued, Grant(registrar, process, form));
  ASSIGN_OR_RETURN(const absl::Time expires, FromProto(issued.expire_time()));
  const absl::Duration life = expires - registrar.context().clock.Now();
  json answer = {{"access_token", issued.token()},
                 {"token_type", "Bearer"},
                 {"expires_in", std::max<int64_t>(absl::ToInt64Seconds(life), 0)}};
  if (Value(form, "grant_type") == kTokenExchange) answer["issued_token_type"] = kAccessTokenType;
  return answer;
}

}  // namespace

HttpResponse HandleToken(Registrar& registrar, const HttpRequest& request) {
  const absl::StatusOr<CertifiedProcess> process = AuthenticateClient(registrar, request);
  if (!process.ok()) return Answer(process.status());
  const absl::StatusOr<Form> form = http::ParseForm(request.Header("content-type"), request.body);
  if (!form.ok()) return Answer(form.status());
  const std::string grant = Value(*form, "grant_type");
  if (grant.empty()) return Answer(absl::InvalidArgumentError("`grant_type` is missing"));
  if (grant != kClientCredentials && grant != kTokenExchange) {
    return Answer(OauthError{400, "unsupported_grant_type",
                             absl::StrCat("expected ", kClientCredentials, " or ", kTokenExchange)});
  }
  if (const auto unsupported = FindUnsupported(request, *form)) return Answer(*unsupported);
  const absl::StatusOr<json> token = Token(registrar, *process, *form);
  return token.ok() ? Answer(200, *token) : Answer(token.status());
}

std::string AuthorizationServerMetadata(const RegistrarOptions& options) {
  const std::string token_endpoint = absl::StrCat(options.est_url, "/oauth/token");
  return json{{"issuer", options.est_url},
              {"token_endpoint", token_endpoint},
              {"jwks_uri", absl::StrCat(options.est_url, "/oauth/jwks")},
              {"response_types_supported", json::array()},
              {"grant_types_supported", {kClientCredentials, kTokenExchange}},
              {"token_endpoint_auth_methods_supported", {"tls_client_auth"}},
              {"tls_client_certificate_bound_access_tokens", true},
              {"mtls_endpoint_aliases", {{"token_endpoint", token_endpoint}}}}
      .dump();
}

}  // namespace tsunagi::identity
