// Who a client of the HTTPS edge is.
#pragma once

#include "absl/status/statusor.h"
#include "identity/certified_process.h"
#include "identity/context.h"
#include "services/http/message.h"

namespace tsunagi::identity {

// The process of this federation whose certificate the client showed: signed by the issuing CA, valid now,
// exactly one URI and the one DNS name that goes with it. Whether its participant is active is for the caller
// to ask. UNAUTHENTICATED naming the reason otherwise.
absl::StatusOr<CertifiedProcess> AuthenticateClient(const RegistrarContext& context,
                                                    const http::HttpRequest& request);

}  // namespace tsunagi::identity
