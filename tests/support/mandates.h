// Mandates of a grantor in a federation for tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "core/base/proto.h"
#include "core/crypto/envelope.h"
#include "identity/mandates.h"
#include "tests/support/federation.h"

namespace tsunagi::testing {

// A member with a signing key. What it grants stands in its entry with the next Publish.
class TestGrantor {
 public:
  // `label` is in the federation's directory.
  TestGrantor(TestFederation& federation, const Clock& clock, std::string label)
      : federation_(federation), clock_(clock), label_(std::move(label)) {
    identity::v1::ParticipantKey& listed = *federation_.Entry(label_).add_keys();
    listed.set_key_id(key_.id());
    listed.set_purpose(identity::v1::KEY_PURPOSE_SIGNING);
    listed.set_algorithm(key_.algorithm());
    listed.set_public_key(key_.public_key().der());
    *listed.mutable_valid_from() = ToProto(clock.Now() - absl::Hours(1));
  }

  const crypto::PrivateKey& key() const { return key_; }

  // From a minute ago, for 30 days.
  identity::v1::Mandate Make(absl::string_view holder, const std::vector<absl::string_view>& scopes) {
    identity::v1::Mandate mandate;
    mandate.set_id(absl::StrFormat("00000000-0000-4000-8000-%012x", ++made_));
    mandate.set_grantor(federation_.DidOf(label_));
    mandate.set_holder(federation_.DidOf(holder));
    for (const absl::string_view scope : scopes) mandate.add_scopes(std::string(scope));
    *mandate.mutable_valid_from() = ToProto(clock_.Now() - absl::Minutes(1));
    *mandate.mutable_valid_until() = ToProto(clock_.Now() + absl::Hours(30 * 24));
    return mandate;
  }

  // Adds it to the entry, signed by `key`, and publishes.
  absl::Status List(const identity::v1::Mandate& mandate, const crypto::PrivateKey& key) {
    *federation_.Entry(label_).add_mandates() = crypto::Sign(key, identity::kMandatePayload, Encode(mandate));
    return federation_.Publish();
  }
  absl::Status List(const identity::v1::Mandate& mandate) { return List(mandate, key_); }

  // Adds a revocation, signed by `key`, and publishes.
  absl::Status Revoke(const identity::v1::Mandate& mandate, const crypto::PrivateKey& key) {
    identity::v1::MandateRevocation revocation;
    revocation.set_id(mandate.id());
    revocation.set_grantor(mandate.grantor());
    *revocation.mutable_revoked_at() = ToProto(clock_.Now());
    *federation_.Entry(label_).add_revocations() =
        crypto::Sign(key, identity::kMandateRevocationPayload, Encode(revocation));
    return federation_.Publish();
  }
  absl::Status Revoke(const identity::v1::Mandate& mandate) { return Revoke(mandate, key_); }

 private:
  TestFederation& federation_;
  const Clock& clock_;
  const std::string label_;
  const crypto::PrivateKey key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  uint64_t made_ = 0;
};

}  // namespace tsunagi::testing
