#include "core/crypto/envelope.h"

#include "absl/strings/str_cat.h"

namespace tsunagi::crypto {
namespace {

absl::Status Invalid(const PublicKey& key, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("signature under key `", key.id(), "`: ", what));
}

}  // namespace

std::string PreAuthEncoding(absl::string_view payload_type, absl::string_view payload) {
  return absl::StrCat("DSSEv1 ", payload_type.size(), " ", payload_type, " ", payload.size(), " ", payload);
}

SignedEnvelope Sign(const PrivateKey& key, absl::string_view payload_type, absl::string_view payload) {
  SignedEnvelope envelope;
  envelope.set_payload_type(std::string(payload_type));
  envelope.set_payload(std::string(payload));
  envelope.set_key_id(key.id());
  envelope.set_algorithm(key.algorithm());
  envelope.set_signature(key.Sign(PreAuthEncoding(payload_type, payload)));
  return envelope;
}

absl::Status Verify(const SignedEnvelope& envelope, absl::string_view payload_type, const PublicKey& key) {
  if (envelope.payload_type() != payload_type) {
    return Invalid(key, absl::StrCat("the payload is of another type: expected `", payload_type, "`"));
  }
  if (envelope.key_id() != key.id()) return Invalid(key, "the envelope names another key");
  if (envelope.algorithm() != key.algorithm()) return Invalid(key, "the envelope names another algorithm");
  if (!key.Verify(PreAuthEncoding(payload_type, envelope.payload()), envelope.signature())) {
    return Invalid(key, "it does not fit the payload");
  }
  return absl::OkStatus();
}

}  // namespace tsunagi::crypto
