#include "identity/public_documents.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/did.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/jwk.h"
#include "identity/entries.h"
#include "identity/names.h"
#include "nlohmann/json.hpp"

namespace tsunagi::identity {
namespace {

using nlohmann::json;

bool HasEnded(const v1::ParticipantKey& key, absl::Time now) {
  return key.has_valid_until() && FromProto(key.valid_until()).value_or(absl::InfinitePast()) <= now;
}

bool HasBegun(const v1::ParticipantKey& key, absl::Time now) {
  return FromProto(key.valid_from()).value_or(absl::InfiniteFuture()) <= now;
}

json VerificationMethod(const std::string& did, const std::string& id, const crypto::PublicKey& key) {
  return {
      {"id", id}, {"type", "JsonWebKey2020"}, {"controller", did}, {"publicKeyJwk", crypto::PublicJwk(key)}};
}

absl::Status AddKeys(const StoredParticipant& entry, absl::Time now, json& document) {
  const v1::Participant& participant = entry.participant();
  const bool may_act = !entry.suspended() && participant.state() != v1::PARTICIPANT_STATE_LEFT;
  for (const char* list : {"verificationMethod", "assertionMethod", "authentication"}) {
    document[list] = json::array();
  }
  for (const v1::ParticipantKey& listed : participant.keys()) {
    if (listed.purpose() != v1::KEY_PURPOSE_SIGNING) continue;
    ASSIGN_OR_RETURN(const crypto::PublicKey key, crypto::PublicKey::FromDer(listed.public_key()));
    const std::string id = absl::StrCat(participant.did(), "#", listed.key_id());
    document["verificationMethod"].push_back(VerificationMethod(participant.did(), id, key));
    if (HasEnded(listed, now) || !HasBegun(listed, now)) continue;
    document["assertionMethod"].push_back(id);
    if (may_act) document["authentication"].push_back(id);
  }
  return absl::OkStatus();
}

json Services(const v1::Participant& participant) {
  json services = json::array();
  for (const v1::Endpoint& endpoint : participant.endpoints()) {
    services.push_back({{"id", absl::StrCat(participant.did(), "#", endpoint.process())},
                        {"type", "TsunagiProcess"},
                        {"serviceEndpoint", absl::StrCat("https://", endpoint.address())}});
  }
  return services;
}

}  // namespace

std::string HostedDid(absl::string_view did_host, absl::string_view label) {
  return absl::StrCat("did:web:", did_host, ":participants:", label);
}

absl::StatusOr<std::vector<v1::ParticipantKey>> TokenKeys(const RegistrarContext& context) {
  ASSIGN_OR_RETURN(const StoredParticipant registrar, LoadEntry(context.journal.store(), kRegistrarLabel));
  const absl::Time now = context.clock.Now();
  const std::shared_ptr<const Authority> authority = context.authority.Get();
  std::vector<v1::ParticipantKey> keys;
  for (const v1::ParticipantKey& listed : registrar.participant().keys()) {
    const bool for_tokens = listed.purpose() == v1::KEY_PURPOSE_SIGNING &&
                            listed.key_id() != authority->approval.id() &&
                            listed.key_id() != authority->credential.id();
    if (for_tokens && !HasEnded(listed, now)) keys.push_back(listed);
  }
  return keys;
}

absl::StatusOr<std::string> TokenKeySet(const RegistrarContext& context) {
  ASSIGN_OR_RETURN(const std::vector<v1::ParticipantKey> listed_keys, TokenKeys(context));
  json keys = json::array();
  for (const v1::ParticipantKey& listed : listed_keys) {
    ASSIGN_OR_RETURN(const crypto::PublicKey key, crypto::PublicKey::FromDer(listed.public_key()));
    json jwk = crypto::PublicJwk(key);
    jwk["kid"] = listed.key_id();
    jwk["use"] = "sig";
    jwk["alg"] = "ES256";
    keys.push_back(std::move(jwk));
  }
  return json{{"keys", std::move(keys)}}.dump();
}

absl::StatusOr<std::string> DidDocument(const RegistrarContext& context, absl::string_view label) {
  const absl::Status none = absl::NotFoundError("no such DID document here");
  const absl::StatusOr<Label> parsed = Label::Parse(label);
  if (!parsed.ok()) return none;
  const absl::StatusOr<StoredParticipant> entry = LoadEntry(context.journal.store(), label);
  if (absl::IsNotFound(entry.status())) return none;
  RETURN_IF_ERROR(entry.status());
  const v1::Participant& participant = entry->participant();
  if (participant.did() != HostedDid(context.options.did_host, label)) return none;
  json document = {
      {"@context", {"https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"}},
      {"id", participant.did()}};
  RETURN_IF_ERROR(AddKeys(*entry, context.clock.Now(), document));
  if (participant.endpoints_size() > 0) document["service"] = Services(participant);
  return document.dump();
}

}  // namespace tsunagi::identity
