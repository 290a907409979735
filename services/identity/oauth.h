// OAuth 2.0 for processes of the federation: RFC 6749 client credentials and RFC 8693 token exchange, clients
// authenticated by certificate and tokens bound to it (RFC 8705); RFC 8414 metadata.
#pragma once

#include <string>

#include "identity/registrar.h"
#include "services/http/message.h"

namespace tsunagi::identity {

// Answers `POST /oauth/token`. The tokens are those of IdentityService.IssueToken. Blocks.
http::HttpResponse HandleToken(Registrar& registrar, const http::HttpRequest& request);

// The metadata of the authorization server. Its issuer is the edge's URL; tokens keep the federation's name
// as `iss`.
std::string AuthorizationServerMetadata(const RegistrarOptions& options);

}  // namespace tsunagi::identity
