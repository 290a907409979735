// EST (RFC 7030): /.well-known/est/cacerts, /simpleenroll, /simplereenroll.
#pragma once

#include "identity/registrar.h"
#include "services/http/message.h"

namespace tsunagi::identity {

// Answers one request whose target starts with /.well-known/est/; blocks until the registrar's act is
// durable. Thread-safe.
http::HttpResponse HandleEst(Registrar& registrar, const http::HttpRequest& request);

}  // namespace tsunagi::identity
