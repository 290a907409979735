#include "services/process/listing.h"

#include <algorithm>
#include <string>

#include "core/crypto/envelope.h"
#include "identity/names.h"

namespace tsunagi::process {
namespace {

void AddKey(const crypto::PrivateKey& key, identity::v1::KeyPurpose purpose, absl::string_view did,
            absl::string_view log_origin, identity::v1::ListKeysRequest& listing) {
  identity::v1::ParticipantKey& listed = *listing.add_keys();
  listed.set_key_id(key.id());
  listed.set_purpose(purpose);
  listed.set_algorithm(key.algorithm());
  listed.set_public_key(key.public_key().der());
  listed.set_log_origin(std::string(log_origin));
  *listing.add_proofs() = crypto::Sign(key, identity::kKeyPossessionPayload, did);
}

}  // namespace

identity::v1::ListKeysRequest ListingOf(const Keys& keys, absl::string_view did, absl::string_view log_origin,
                                        absl::string_view process, absl::string_view address) {
  identity::v1::ListKeysRequest listing;
  AddKey(keys.signing, identity::v1::KEY_PURPOSE_SIGNING, did, "", listing);
  AddKey(keys.log, identity::v1::KEY_PURPOSE_LOG, did, log_origin, listing);
  identity::v1::Endpoint& endpoint = *listing.add_endpoints();
  endpoint.set_process(std::string(process));
  endpoint.set_address(std::string(address));
  return listing;
}

bool IsListed(const identity::v1::Participant& participant, const identity::v1::ListKeysRequest& listing) {
  const auto has_key = [&](const identity::v1::ParticipantKey& key) {
    return std::any_of(participant.keys().begin(), participant.keys().end(), [&](const auto& listed) {
      return listed.key_id() == key.key_id() && listed.purpose() == key.purpose() &&
             listed.log_origin() == key.log_origin();
    });
  };
  const auto has_endpoint = [&](const identity::v1::Endpoint& endpoint) {
    return std::any_of(
        participant.endpoints().begin(), participant.endpoints().end(), [&](const auto& listed) {
          return listed.process() == endpoint.process() && listed.address() == endpoint.address();
        });
  };
  return std::all_of(listing.keys().begin(), listing.keys().end(), has_key) &&
         std::all_of(listing.endpoints().begin(), listing.endpoints().end(), has_endpoint);
}

}  // namespace tsunagi::process
