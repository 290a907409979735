// What a process lists of itself in the directory: its keys and where it listens.
#pragma once

#include <string>

#include "identity/trust.h"
#include "services/process/keys.h"
#include "tsunagi/identity/v1/identity_service.pb.h"

namespace tsunagi::process {

// The request that lists signing and log key, with proofs of possession, and the endpoint.
identity::v1::ListKeysRequest ListingOf(const Keys& keys, absl::string_view did, absl::string_view log_origin,
                                        absl::string_view process, absl::string_view address);

// True when the directory entry has all of it already.
bool IsListed(const identity::v1::Participant& participant, const identity::v1::ListKeysRequest& listing);

}  // namespace tsunagi::process
