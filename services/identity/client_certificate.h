// Who a client of the HTTPS edge is.
#pragma once

#include "absl/status/statusor.h"
#include "identity/certified_process.h"
#include "identity/registrar.h"
#include "services/http/message.h"

namespace tsunagi::identity {

// The process of this federation whose certificate the client showed: signed by an issuing CA that counts,
// valid now, exactly one URI and the one DNS name that goes with it. Whether its participant is active is for
// the caller to ask. UNAUTHENTICATED naming the reason otherwise.
absl::StatusOr<CertifiedProcess> AuthenticateClient(const Registrar& registrar,
                                                    const http::HttpRequest& request);

}  // namespace tsunagi::identity
