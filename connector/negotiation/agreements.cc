#include "connector/negotiation/agreements.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "connector/negotiation/states.h"
#include "connector/records.h"
#include "core/audit/requests.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/crypto/envelope.h"

namespace tsunagi::connector {
namespace {

constexpr absl::string_view kMethod = "/tsunagi.connector.v1.ConnectorService/RequestAgreement";
constexpr int kAttempts = 3;

// 26 characters of [a-z2-7] for 16 random bytes.
std::string NewId(absl::string_view label, Random& random) {
  constexpr absl::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::string id = absl::StrCat(label, "-");
  uint32_t buffer = 0;
  int bits = 0;
  for (const char byte : random.Bytes(16) + '\0') {
    buffer = buffer << 8 | static_cast<uint8_t>(byte);
    for (bits += 8; bits >= 5 && id.size() < label.size() + 27; bits -= 5)
      id += kAlphabet[buffer >> (bits - 5) & 31u];
  }
  return id;
}

// The whole way of a native request through the table, for one commit.
void WalkToTheEnd(v1::Agreement& agreement) {
  for (const Transition& step : kTransitions) {
    if (step.to == v1::AGREEMENT_STATE_TERMINATED) continue;
    if (MayMove(agreement.state(), step.to, step.by)) agreement.set_state(step.to);
  }
}

absl::StatusOr<v1::RequestAgreementResponse> ParseReply(absl::string_view bytes) {
  v1::RequestAgreementResponse response;
  RETURN_IF_ERROR(Decode(bytes, "stored reply", response));
  return response;
}

}  // namespace

// A request under way.
struct Agreements::Pending {
  std::string caller;
  std::vector<std::string> roles;
  policy::SectionMask sections = 0;
  std::string purpose;
  std::string request_id;
  std::string body_digest;
  Done done;
  int attempts = 0;

  audit::RequestKey Key() const { return {caller, kMethod, request_id, body_digest}; }
};

bool Terms::Fit(const KnownAgreement& known) const {
  const auto& duties = known.agreement.obligations();
  return known.scope == scope &&
         std::equal(duties.begin(), duties.end(), obligations.begin(), obligations.end());
}

Terms TermsFor(const policy::CompiledPolicies& policies, absl::string_view party,
               absl::Span<const std::string> roles, absl::string_view purpose, policy::SectionMask sections,
               absl::Time now) {
  const policy::Facts facts{party, roles, purpose, absl::nullopt, now};
  const policy::Decision decision = policies.Evaluate(facts);
  Terms terms;
  terms.named = decision.named;
  terms.policy_version = policies.version();
  for (const policy::Section section : policy::SectionsIn(sections)) {
    if (decision.Permits(section)) terms.sections |= policy::BitOf(section);
  }
  terms.scope = policies.ScopeFor(facts).Within(policy::PermitsOf(terms.sections));
  terms.obligations = policies.Obligations(decision, terms.sections);
  return terms;
}

void Agreements::Request(const Caller& caller, const v1::RequestAgreementRequest& request, Done done) {
  const absl::StatusOr<policy::SectionMask> sections = SectionsOf(request.sections());
  if (!sections.ok()) return done(sections.status());
  if (const absl::Status purpose = CheckPurpose(request.purpose()); !purpose.ok()) return done(purpose);
  if (request.has_subject()) {
    if (const absl::Status subject = CheckSubject(request.subject()); !subject.ok()) return done(subject);
  }
  auto pending = std::make_shared<Pending>();
  pending->caller = caller.did();
  pending->roles = caller.roles();
  pending->sections = *sections;
  pending->purpose = request.purpose();
  pending->request_id = request.request_id();
  // An HMAC, since the subject may be a vehicle.
  pending->body_digest = RequestDigest(own_.request_digest_key, request);
  pending->done = std::move(done);
  Decide(std::move(pending));
}

void Agreements::Decide(std::shared_ptr<Pending> pending) {
  const audit::ReadVersion version = journal_.Version();
  const absl::StatusOr<std::optional<std::string>> reply = audit::FindReply(journal_.store(), pending->Key());
  if (!reply.ok()) return pending->done(reply.status());
  if (reply->has_value()) return pending->done(ParseReply(**reply));
  const Terms terms = TermsFor(*policies_.Current(), pending->caller, pending->roles, pending->purpose,
                               pending->sections, clock_.Now());
  if (terms.sections == 0) return Deny(*pending, terms.named);
  Make(std::move(pending), terms, version);
}

void Agreements::Deny(const Pending& pending, bool named) {
  if (!named) {
    denials_.Count(pending.caller);
    return pending.done(NotFound());
  }
  journal_.Submit(denials_.CommitOf(DenialOf(pending.caller, {"NO_PERMISSION"})),
                  [done = pending.done](absl::StatusOr<audit::Committed> committed) {
                    done(committed.ok() ? NotFound() : committed.status());
                  });
}

void Agreements::Make(std::shared_ptr<Pending> pending, const Terms& terms, audit::ReadVersion version) {
  audit::Commit commit;
  commit.version = version;
  commit.reads = {
      PolicyStore::Key(), audit::StoredRequestKey(pending->Key()),
      AgreementTable::PairKey(Side::kProvider, pending->caller, pending->purpose, terms.sections)};
  const auto running =
      table_.FindExactly(Side::kProvider, pending->caller, pending->purpose, terms.sections, clock_.Now());
  if (!running.ok() && !absl::IsNotFound(running.status())) return pending->done(running.status());
  if (running.ok() && terms.Fit(**running)) {
    return Remember(std::move(pending), **running, std::move(commit));
  }
  const absl::StatusOr<std::shared_ptr<const KnownAgreement>> made = Write(*pending, terms);
  if (!made.ok()) return pending->done(made.status());
  audit::v1::Record record = RecordAt(clock_.Now());
  record.mutable_agreement()->set_agreement((*made)->agreement.id());
  record.mutable_agreement()->set_state("FINALIZED");
  record.mutable_agreement()->set_digest(crypto::Sha256((*made)->envelope.payload()));
  commit.record = Encode(record);
  table_.StoreIn(commit, Side::kProvider, *made, terms.sections);
  Remember(std::move(pending), **made, std::move(commit));
}

absl::StatusOr<std::shared_ptr<const KnownAgreement>> Agreements::Write(const Pending& pending,
                                                                        const Terms& terms) const {
  const absl::Time now = clock_.Now();
  v1::Agreement agreement;
  agreement.set_id(NewId(own_.label, random_));
  agreement.set_provider(own_.did);
  agreement.set_consumer(pending.caller);
  policy::SetScope(terms.scope, agreement);
  agreement.set_purpose(pending.purpose);
  agreement.set_policy_version(terms.policy_version);
  *agreement.mutable_agreed_at() = ToProto(now);
  *agreement.mutable_expire_time() = ToProto(now + kAgreementLife);
  for (const std::string& duty : terms.obligations) agreement.add_obligations(duty);
  WalkToTheEnd(agreement);
  common::v1::SignedEnvelope envelope = crypto::Sign(own_.signing_key, kAgreementPayload, Encode(agreement));
  return Know(std::move(agreement), std::move(envelope));
}

void Agreements::Remember(std::shared_ptr<Pending> pending, const KnownAgreement& known,
                          audit::Commit commit) {
  v1::RequestAgreementResponse response;
  *response.mutable_agreement() = known.envelope;
  commit.writes.push_back(AgreementTable::RememberGiven(known, pending->sections));
  audit::RememberReply(pending->Key(), Encode(response), clock_.Now(), commit.writes);
  journal_.Submit(std::move(commit), [this, pending, response](absl::StatusOr<audit::Committed> committed) {
    if (absl::IsAborted(committed.status()) && ++pending->attempts < kAttempts) return Decide(pending);
    committed.ok() ? pending->done(response) : pending->done(committed.status());
  });
}

}  // namespace tsunagi::connector
