// A federation for tests: a root, a directory with its members, certificates and tokens, without a registrar.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/proto.h"
#include "core/crypto/certificate.h"
#include "core/crypto/envelope.h"
#include "core/crypto/key.h"
#include "identity/names.h"
#include "identity/token.h"
#include "identity/trust.h"

namespace tsunagi::testing {

// A key with its certificate chain, as a process shows it.
struct TestCredential {
  std::string key_pem;
  std::string chain_pem;  // leaf, then issuing CA
  std::string leaf_pem;
  std::string sha256;
  absl::Time not_after;
};

// Real keys and signatures. TLS looks at the machine's clock: start a FakeClock at absl::Now() where TLS is
// used.
class TestFederation {
 public:
  explicit TestFederation(const Clock& clock, std::string name = "battery.example")
      : clock_(clock),
        name_(std::move(name)),
        root_(Ca("root", root_key_, std::nullopt)),
        issuing_(Ca("issuing", issuing_key_, root_)),
        directory_(Signer(identity::DirectoryUri(name_), directory_key_)),
        status_(Signer(identity::StatusUri(name_), status_key_)),
        trust_(root_, name_, clock),
        tokens_(trust_, clock) {
    Add("registrar", {"registrar"});
    identity::v1::ParticipantKey& key = *participants_[0].add_keys();
    key.set_key_id(token_key_.id());
    key.set_purpose(identity::v1::KEY_PURPOSE_SIGNING);
    key.set_algorithm(token_key_.algorithm());
    key.set_public_key(token_key_.public_key().der());
    *key.mutable_valid_from() = ToProto(clock.Now() - absl::Hours(1));
    Must(Publish());
    Must(PublishStatus());
  }

  const std::string& name() const { return name_; }
  std::string root_pem() const { return crypto::ToPem(root_); }
  const crypto::Certificate& root() const { return root_; }
  identity::TrustStore& trust() { return trust_; }
  identity::TokenVerifier& tokens() { return tokens_; }

  std::string DidOf(absl::string_view label) const {
    return absl::StrCat("did:web:", name_, ":participants:", label);
  }

  // Adds a member to the directory and publishes it. The entry may be changed before Publish.
  identity::v1::Participant& Add(const std::string& label, const std::vector<std::string>& roles = {}) {
    identity::v1::Participant& participant = participants_.emplace_back();
    participant.set_did(DidOf(label));
    participant.set_label(label);
    participant.set_name_latin(label);
    participant.set_version(1);
    for (const std::string& role : roles) participant.add_roles(role);
    if (participants_.size() > 1) Must(Publish());
    return participant;
  }

  // A member's entry; may be changed before Publish.
  identity::v1::Participant& Entry(absl::string_view label) {
    return *std::find_if(participants_.begin(), participants_.end(),
                         [&](const identity::v1::Participant& one) { return one.label() == label; });
  }

  // The registrar's entry; may be changed before Publish, e.g. to list the key that cosigns.
  identity::v1::Participant& registrar() { return participants_[0]; }

  identity::v1::SignedDirectory MakeDirectory() {
    identity::v1::Directory directory;
    directory.set_version(++directory_version_);
    directory.set_federation(name_);
    *directory.mutable_issued_at() = ToProto(clock_.Now());
    for (const identity::v1::Participant& participant : participants_) {
      *directory.add_entries() =
          crypto::Sign(directory_key_, identity::kParticipantPayload, Encode(participant));
    }
    identity::v1::SignedDirectory result;
    *result.mutable_directory() =
        crypto::Sign(directory_key_, identity::kDirectoryPayload, Encode(directory));
    result.add_chain(directory_.der);
    return result;
  }
  absl::Status Publish() { return trust_.AcceptDirectory(MakeDirectory()); }

  // The status list of now.
  identity::v1::SignedStatusList MakeStatusList() {
    identity::v1::StatusList list;
    list.set_version(++status_version_);
    list.set_federation(name_);
    *list.mutable_issued_at() = ToProto(clock_.Now());
    for (const std::string& did : suspended_) list.add_suspended(did);
    list.set_federation_trust_version(federations_version_);
    identity::v1::SignedStatusList result;
    *result.mutable_status_list() = crypto::Sign(status_key_, identity::kStatusListPayload, Encode(list));
    result.add_chain(status_.der);
    return result;
  }
  absl::Status PublishStatus() { return trust_.AcceptStatusList(MakeStatusList()); }
  absl::Status Suspend(absl::string_view label) {
    suspended_.push_back(DidOf(label));
    return PublishStatus();
  }

  // The next trust bundle: root and issuing CA, changed by `change` before it is signed.
  identity::v1::SignedTrustBundle MakeBundle(
      const std::function<void(identity::v1::TrustBundle&)>& change = nullptr) {
    identity::v1::TrustBundle bundle;
    bundle.set_version(++bundle_version_);
    bundle.set_federation(name_);
    *bundle.mutable_issued_at() = ToProto(clock_.Now());
    for (const auto& [certificate, kind] : {std::pair(root_, identity::v1::ANCHOR_KIND_ROOT),
                                            std::pair(issuing_, identity::v1::ANCHOR_KIND_ISSUING)}) {
      identity::v1::TrustAnchor& anchor = *bundle.add_anchors();
      anchor.set_certificate(certificate.der);
      anchor.set_kind(kind);
      *anchor.mutable_valid_from() = ToProto(clock_.Now() - absl::Hours(1));
    }
    if (change != nullptr) change(bundle);
    identity::v1::SignedTrustBundle result;
    result.set_bundle(Encode(bundle));
    *result.add_signatures() = crypto::Sign(root_key_, identity::kTrustBundlePayload, result.bundle());
    result.mutable_signatures(0)->clear_payload();
    return result;
  }
  absl::Status PublishBundle(const std::function<void(identity::v1::TrustBundle&)>& change = nullptr) {
    return trust_.AcceptBundle(MakeBundle(change));
  }

  // The next list of the federations that this one trusts.
  identity::v1::SignedFederationTrust MakeFederationTrust(
      const std::vector<identity::v1::TrustedFederation>& trusted) {
    identity::v1::FederationTrust list;
    list.set_version(++federations_version_);
    list.set_federation(name_);
    *list.mutable_issued_at() = ToProto(clock_.Now());
    *list.mutable_federations() = {trusted.begin(), trusted.end()};
    return SignFederationTrust(list);
  }
  identity::v1::SignedFederationTrust SignFederationTrust(const identity::v1::FederationTrust& list) const {
    identity::v1::SignedFederationTrust result;
    *result.mutable_trust() = crypto::Sign(directory_key_, identity::kFederationTrustPayload, Encode(list));
    result.add_chain(directory_.der);
    return result;
  }
  // Trusts just these, and the status list says so.
  absl::Status PublishFederationTrust(const std::vector<identity::v1::TrustedFederation>& trusted) {
    const absl::Status accepted = trust_.AcceptFederationTrust(MakeFederationTrust(trusted));
    return accepted.ok() ? PublishStatus() : accepted;
  }

  // The next roster: everybody but the registrar and the suspended.
  identity::v1::SignedRoster MakeRoster(const std::function<void(identity::v1::Roster&)>& change = nullptr) {
    identity::v1::Roster roster;
    roster.set_version(++roster_version_);
    roster.set_federation(name_);
    *roster.mutable_issued_at() = ToProto(clock_.Now());
    *roster.add_token_keys() = participants_[0].keys(0);
    for (const identity::v1::Participant& participant : participants_) {
      const bool suspended =
          std::find(suspended_.begin(), suspended_.end(), participant.did()) != suspended_.end();
      if (participant.label() == "registrar" || suspended) continue;
      identity::v1::RosterMember& member = *roster.add_members();
      member.set_label(participant.label());
      member.set_did(participant.did());
      *member.mutable_roles() = participant.roles();
    }
    if (change != nullptr) change(roster);
    identity::v1::SignedRoster result;
    *result.mutable_roster() = crypto::Sign(directory_key_, identity::kRosterPayload, Encode(roster));
    result.add_chain(directory_.der);
    return result;
  }

  // This federation as another one trusts it, with a mapping for each `theirs=ours`.
  identity::v1::TrustedFederation AsTrusted(const std::vector<std::pair<std::string, std::string>>& roles) {
    identity::v1::TrustedFederation record;
    record.set_federation(name_);
    record.add_did_hosts(name_);
    *record.mutable_bundle() = MakeBundle();
    for (const auto& [theirs, ours] : roles) {
      identity::v1::RoleMapping& mapping = *record.add_roles();
      mapping.set_theirs(theirs);
      mapping.set_ours(ours);
    }
    record.set_url(absl::StrCat("https://registrar.", name_, ":8443"));
    *record.mutable_since() = ToProto(clock_.Now());
    return record;
  }

  // A process's certificate as the registrar would issue it.
  TestCredential Enrol(absl::string_view label, absl::string_view process,
                       absl::Duration life = absl::Hours(168)) {
    return Issue({identity::ProcessUri(process, label, name_)},
                 {identity::ProcessDnsName(process, label, name_)}, life);
  }
  // A certificate of this federation's CA with any names.
  TestCredential Issue(std::vector<std::string> uris, std::vector<std::string> dns_names,
                       absl::Duration life = absl::Hours(168)) {
    const auto key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
    crypto::CertificateTemplate names = Template("process", life);
    names.uris = std::move(uris);
    names.dns_names = std::move(dns_names);
    names.server_auth = names.client_auth = true;
    const crypto::Certificate leaf =
        crypto::IssueCertificate(names, key.public_key(), issuing_key_, issuing_).value();
    const std::string leaf_pem = crypto::ToPem(leaf);
    return {key.ToPem(), leaf_pem + crypto::ToPem(issuing_), leaf_pem, leaf.sha256, leaf.not_after};
  }

  // An access token for `label`, bound to the certificate.
  std::string Token(absl::string_view label, const TestCredential& bound_to,
                    absl::Duration life = absl::Hours(24),
                    std::vector<identity::TokenActor> actors = {}) const {
    return identity::IssueToken(token_key_, name_, Claims(label, bound_to, life, std::move(actors))).value();
  }
  // The same for another federation; `issuer` is this one unless it is told otherwise.
  std::string TokenFor(absl::string_view audience, absl::string_view label, const TestCredential& bound_to,
                       absl::string_view issuer = "") const {
    return identity::IssueToken(token_key_, issuer.empty() ? absl::string_view(name_) : issuer,
                                Claims(label, bound_to, absl::Hours(1), {}), audience)
        .value();
  }

 private:
  identity::TokenClaims Claims(absl::string_view label, const TestCredential& bound_to, absl::Duration life,
                               std::vector<identity::TokenActor> actors) const {
    identity::TokenClaims claims;
    claims.subject = DidOf(label);
    claims.certificate_sha256 = bound_to.sha256;
    claims.issued_at = clock_.Now();
    claims.expires_at = clock_.Now() + life;
    claims.actors = std::move(actors);
    return claims;
  }
  // A federation that does not believe itself is a mistake of the test.
  static void Must(const absl::Status& status) {
    if (!status.ok()) std::abort();
  }
  static crypto::PrivateKey NewKey() {
    return crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  }
  crypto::CertificateTemplate Template(const std::string& name, absl::Duration life) const {
    crypto::CertificateTemplate made;
    made.name = name;
    made.not_before = clock_.Now() - absl::Hours(1);
    made.not_after = clock_.Now() + life;
    return made;
  }
  crypto::Certificate Ca(const std::string& name, const crypto::PrivateKey& key,
                         const std::optional<crypto::Certificate>& issuer) const {
    crypto::CertificateTemplate made = Template(name, absl::Hours(24 * 3650));
    made.is_ca = true;
    return crypto::IssueCertificate(made, key.public_key(), root_key_, issuer).value();
  }
  crypto::Certificate Signer(const std::string& uri, const crypto::PrivateKey& key) const {
    crypto::CertificateTemplate made = Template("signer", absl::Hours(24 * 3650));
    made.uris = {uri};
    return crypto::IssueCertificate(made, key.public_key(), root_key_, root_).value();
  }

  const Clock& clock_;
  const std::string name_;
  const crypto::PrivateKey root_key_ = NewKey();
  const crypto::PrivateKey issuing_key_ = NewKey();
  const crypto::PrivateKey directory_key_ = NewKey();
  const crypto::PrivateKey status_key_ = NewKey();
  const crypto::PrivateKey token_key_ = NewKey();
  const crypto::Certificate root_;
  const crypto::Certificate issuing_;
  const crypto::Certificate directory_;
  const crypto::Certificate status_;
  identity::TrustStore trust_;
  identity::TokenVerifier tokens_;
  std::vector<identity::v1::Participant> participants_;
  std::vector<std::string> suspended_;
  uint64_t directory_version_ = 0;
  uint64_t status_version_ = 0;
  uint64_t bundle_version_ = 0;
  uint64_t federations_version_ = 0;
  uint64_t roster_version_ = 0;
};

}  // namespace tsunagi::testing
