// DSSE-style signatures over bytes that are never serialised again.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/crypto/key.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi::crypto {

using SignedEnvelope = common::v1::SignedEnvelope;

// DSSE pre-authentication encoding: "DSSEv1 <len> <type> <len> <payload>".
std::string PreAuthEncoding(absl::string_view payload_type, absl::string_view payload);

// Signs `payload` as `payload_type` (`tsunagi/<message>/v1`).
SignedEnvelope Sign(const PrivateKey& key, absl::string_view payload_type, absl::string_view payload);

// OK when the envelope has exactly this type, the key's algorithm and id, and a valid signature.
// DATA_LOSS naming the key id otherwise; never the payload.
absl::Status Verify(const SignedEnvelope& envelope, absl::string_view payload_type, const PublicKey& key);

}  // namespace tsunagi::crypto
