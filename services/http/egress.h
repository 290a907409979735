// Fetching what other parties publish: key sets, DID documents, status lists; and posting to their endpoints.
// The URL comes from outside, so it must not lead into this company's own network.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/http/client.h"
#include "services/http/message.h"

namespace tsunagi::http {

// The addresses of a host, in text form.
using Resolver = std::function<absl::StatusOr<std::vector<std::string>>(const std::string& host)>;

// Asks the system, for as long as its resolver is configured to take. UNAVAILABLE when it finds none.
absl::StatusOr<std::vector<std::string>> ResolveWithSystem(const std::string& host);

struct EgressOptions {
  // Roots (PEM) that the server's certificate must chain to; empty for the system's.
  std::string root_pem;
  // Any certificate will do: only to fetch what carries its own digest or signature.
  bool any_server = false;
  // Addresses that are open beside public ones, e.g. 127.0.0.1 for tests and demos.
  std::vector<std::string> allowed_addresses;
  // For everything after resolving: a quarter each for connecting, handshake, sending and receiving.
  absl::Duration timeout = absl::Seconds(10);
  Resolver resolve = ResolveWithSystem;
};

// The response to `call`, sent to an address of its URL's host: resolves the host once and connects to an
// address that it looked at. Where to connect, the roots and the time limit are those of `options`. Never
// follows a redirect. Blocking: never on a handler's thread.
//   PERMISSION_DENIED  an address of the host is not public and not allowed
//   others             see Fetch
absl::StatusOr<HttpResponse> CallOut(HttpsCall call, const EgressOptions& options);

// The body of the document, at most 1 MiB, as sent. Resolves the host once and connects to an address that it
// looked at; the certificate must carry the host. Never follows a redirect. Blocking: never on a handler's
// thread.
//   INVALID_ARGUMENT     the URL: see ParseHttpsUrl
//   PERMISSION_DENIED    an address of the host is private, loopback, link-local, multicast or otherwise not
//                        public
//   UNAUTHENTICATED      the server is not the one that the URL names
//   NOT_FOUND            it has no such document
//   FAILED_PRECONDITION  it answers with a redirect or another status
//   UNAVAILABLE          it cannot be reached, is too slow, or sends more than 1 MiB
absl::StatusOr<std::string> FetchDocument(absl::string_view url, const EgressOptions& options);

// The answer, whatever its status, to a POST of a form (see EncodeForm) with these headers; on the same
// terms. Errors are those of FetchDocument, but for the two about the status.
absl::StatusOr<HttpResponse> PostForm(absl::string_view url, Headers headers, std::string form,
                                      const EgressOptions& options);
// True for an IPv4 or IPv6 address in the one spelling in which resolved addresses are compared with
// EgressOptions::allowed_addresses: for configurations.
bool IsWrittenAddress(const std::string& text);

// True for an IPv4 or IPv6 address that IANA's registries call globally reachable unicast. False for anything
// else, IPv4 addresses inside IPv6 ones (mapped, NAT64, 6to4, Teredo) included.
bool IsPublicAddress(absl::string_view address);

}  // namespace tsunagi::http
