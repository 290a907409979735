#include "services/identity/edge.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/public_documents.h"
#include "services/http/est_client.h"
#include "services/identity/client_certificate.h"
#include "services/identity/est_handler.h"
#include "services/identity/oauth.h"

namespace tsunagi::identity {
namespace {

using http::HttpRequest;
using http::HttpResponse;

HttpResponse Text(int status, absl::string_view text) {
  return {status, "text/plain; charset=utf-8", absl::StrCat(text, "\n"), {}};
}

HttpResponse Refusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
      return Text(401, status.message());
    case absl::StatusCode::kPermissionDenied:
      return Text(403, status.message());
    case absl::StatusCode::kNotFound:
      return Text(404, status.message());
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kResourceExhausted:
      return Text(503, "the registrar is busy: try again");
    default:
      log::Error("HTTPS request failed", {{"reason", std::string(status.message())}});
      return Text(500, "internal error");
  }
}

// A document that is the same for everybody.
HttpResponse Public(absl::StatusOr<std::string> document, absl::string_view content_type) {
  if (!document.ok()) return Refusal(document.status());
  return {200, std::string(content_type), *std::move(document), {{"cache-control", "public, max-age=300"}}};
}

HttpResponse KeySet(Registrar& registrar, const HttpRequest& /*request*/) {
  return Public(TokenKeySet(registrar.context()), "application/jwk-set+json");
}

HttpResponse Metadata(Registrar& registrar, const HttpRequest& /*request*/) {
  return Public(AuthorizationServerMetadata(registrar.context().options), "application/json");
}

// Public and signed: whoever knows one of the roots can follow, also when TLS shows another one already.
HttpResponse TrustBundleOf(Registrar& registrar, const HttpRequest& /*request*/) {
  return {200, "application/octet-stream", Encode(registrar.trust().View()->bundle->signed_bundle), {}};
}

// Who may act for this federation, for those that trust it.
HttpResponse RosterOf(Registrar& registrar, const HttpRequest& /*request*/) {
  if (!registrar.context().options.publish_roster) return Text(404, "nothing is served here");
  const absl::StatusOr<SignedLists::Roster> roster = WaitFor<SignedLists::Roster>(
      [&](Done<SignedLists::Roster> done) { registrar.lists().GetRoster(std::move(done)); });
  if (!roster.ok()) return Refusal(roster.status());
  return {200, "application/octet-stream", Encode(**roster), {}};
}

// A credential of the caller's own participant.
HttpResponse OwnCredential(Registrar& registrar, const HttpRequest& request, CredentialKind kind) {
  const absl::StatusOr<CertifiedProcess> process = AuthenticateClient(registrar, request);
  if (!process.ok()) return Refusal(process.status());
  absl::StatusOr<std::string> credential = WaitFor<std::string>(
      [&](Done<std::string> done) { registrar.credentials().Get(*process, kind, std::move(done)); });
  if (!credential.ok()) return Refusal(credential.status());
  return {200, "application/vc+jwt", *std::move(credential), {}};
}

HttpResponse StatusListOf(Registrar& registrar, StatusPurpose purpose) {
  using List = std::shared_ptr<const std::string>;
  const absl::StatusOr<List> list = WaitFor<List>(
      [&](Done<List> done) { registrar.credentials().GetStatusList(purpose, std::move(done)); });
  if (!list.ok()) return Refusal(list.status());
  return Public(**list, "application/vc+jwt");
}

HttpResponse Membership(Registrar& registrar, const HttpRequest& request) {
  return OwnCredential(registrar, request, CredentialKind::kMembership);
}
HttpResponse Roles(Registrar& registrar, const HttpRequest& request) {
  return OwnCredential(registrar, request, CredentialKind::kRoles);
}
HttpResponse Suspensions(Registrar& registrar, const HttpRequest& /*request*/) {
  return StatusListOf(registrar, StatusPurpose::kSuspension);
}
HttpResponse Revocations(Registrar& registrar, const HttpRequest& /*request*/) {
  return StatusListOf(registrar, StatusPurpose::kRevocation);
}

struct Route {
  absl::string_view method;
  absl::string_view path;
  HttpResponse (*handle)(Registrar&, const HttpRequest&);
};

constexpr Route kRoutes[] = {
    {"POST", "/oauth/token", HandleToken},
    {"GET", "/oauth/jwks", KeySet},
    {"GET", "/.well-known/oauth-authorization-server", Metadata},
    {"GET", http::kTrustBundlePath, TrustBundleOf},
    {"GET", http::kRosterPath, RosterOf},
    {"GET", "/credentials/membership", Membership},
    {"GET", "/credentials/roles", Roles},
    {"GET", "/credentials/status/1", Suspensions},
    {"GET", "/credentials/status/2", Revocations},
};

HttpResponse WrongMethod(absl::string_view expected) {
  HttpResponse response = Text(405, absl::StrCat("expected ", expected));
  response.headers.emplace_back("allow", expected);
  return response;
}

}  // namespace

HttpResponse HandleEdge(Registrar& registrar, const HttpRequest& request) {
  if (absl::StartsWith(request.target, "/.well-known/est/")) return HandleEst(registrar, request);
  for (const Route& route : kRoutes) {
    if (request.target != route.path) continue;
    if (request.method != route.method) return WrongMethod(route.method);
    return route.handle(registrar, request);
  }
  absl::string_view label = request.target;
  if (absl::ConsumePrefix(&label, "/participants/") && absl::ConsumeSuffix(&label, "/did.json")) {
    if (request.method != "GET") return WrongMethod("GET");
    return Public(DidDocument(registrar.context(), label), "application/did+json");
  }
  return Text(404, "nothing is served here");
}

}  // namespace tsunagi::identity
