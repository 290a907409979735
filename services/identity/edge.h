// What the registrar serves over HTTPS: EST, OAuth, DID documents, credentials.
#pragma once

#include "identity/registrar.h"
#include "services/http/message.h"

namespace tsunagi::identity {

// Answers one request: an exact path and its one method, 404 for other paths, 405 for other methods. Blocks
// until the registrar's act is durable. Thread-safe.
http::HttpResponse HandleEdge(Registrar& registrar, const http::HttpRequest& request);

}  // namespace tsunagi::identity
