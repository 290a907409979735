// Payloads of mandates and revocations as a grantor could sign them, in an entry that the registrar signed.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/proto.h"
#include "core/crypto/envelope.h"
#include "identity/mandates.h"
#include "identity/trust.h"

namespace {

using namespace tsunagi;

constexpr char kGrantor[] = "did:web:battery.example:participants:maker";
constexpr char kHolder[] = "did:web:battery.example:participants:agency";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const crypto::PrivateKey signing =
      crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const std::string payload(reinterpret_cast<const char*>(data), size);
  const auto read = identity::ReadMandate(payload);
  // One encoding: what was read is what was written.
  if (read.ok() && Encode(read->mandate) != payload) __builtin_trap();
  (void)identity::ReadRevocation(payload);

  identity::Party grantor;
  grantor.participant.set_did(kGrantor);
  identity::v1::ParticipantKey& key = *grantor.participant.add_keys();
  key.set_key_id(signing.id());
  key.set_purpose(identity::v1::KEY_PURPOSE_SIGNING);
  key.set_public_key(signing.public_key().der());
  key.mutable_valid_from();
  *grantor.participant.add_mandates() = crypto::Sign(signing, identity::kMandatePayload, payload);
  *grantor.participant.add_revocations() =
      crypto::Sign(signing, identity::kMandateRevocationPayload, payload);
  grantor.mandates = identity::BelieveMandates(grantor);
  for (const identity::CheckedMandate& one : grantor.mandates) {
    if (one.mandate.grantor() != kGrantor || one.valid_until <= one.valid_from) __builtin_trap();
  }
  (void)identity::FindMandate(grantor, kHolder, identity::kScopePolicy, absl::FromUnixSeconds(1'795'219'200));
  return 0;
}
