// What the registrar publishes for everybody, without gRPC: its token keys and hosted DID documents. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/store/store.h"
#include "identity/context.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::identity {

// DID of a participant whose document lies here: did:web:<did_host>:participants:<label>.
std::string HostedDid(absl::string_view did_host, absl::string_view label);

// The keys with which others verify access tokens: every SIGNING key of the registrar's entry whose time has
// not ended, but for those with which it signs approvals and credentials.
absl::StatusOr<std::vector<v1::ParticipantKey>> TokenKeys(const RegistrarContext& context);

// The JSON Web Key Set (RFC 7517) with which others verify access tokens (TokenKeys). `kid` is
// our key id.
absl::StatusOr<std::string> TokenKeySet(const RegistrarContext& context);

// The DID document (W3C DID 1.0, did:web) of a participant. Every SIGNING key that ever counted is a
// verification method; those that count now may assert, and authenticate unless the participant is suspended
// or has left. NOT_FOUND when there is no such participant or its DID lies elsewhere.
absl::StatusOr<std::string> DidDocument(const RegistrarContext& context, absl::string_view label);

}  // namespace tsunagi::identity
