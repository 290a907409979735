#include "services/identity/metrics.h"

#include <string>

#include "identity/pendings.h"

namespace tsunagi::identity {
namespace {

using metrics::Families;
using metrics::Labels;

constexpr absl::string_view kRefusalsHelp = "Acts that were refused, by reason.";

// One act as metrics name it.
struct Act {
  const char* name;
  const ActCounts& counts;
};

void AddIssued(absl::string_view family, absl::string_view help, const char* label,
               std::initializer_list<Act> acts, Families& families) {
  for (const Act& act : acts) {
    families.Counter(family, help, static_cast<double>(act.counts.done()), {{label, act.name}});
  }
}

void AddRefusals(std::initializer_list<Act> acts, Families& families) {
  for (const Act& act : acts) {
    for (size_t i = 0; i < kRefusalReasons; ++i) {
      const auto refusal = static_cast<RefusalReason>(i);
      families.Counter("tsunagi_registrar_refusals_total", kRefusalsHelp,
                       static_cast<double>(act.counts.refused(refusal)),
                       {{"act", act.name}, {"reason", std::string(NameOf(refusal))}});
    }
  }
}

void AddActs(Registrar& registrar, Families& families) {
  const ActCounts& enrolled = registrar.enrolment().enrolled();
  const ActCounts& renewed = registrar.enrolment().renewed();
  const ActCounts& token = registrar.tokens().issued();
  const ActCounts& exchange = registrar.tokens().exchanged();
  const ActCounts& membership = registrar.credentials().issued(CredentialKind::kMembership);
  const ActCounts& roles = registrar.credentials().issued(CredentialKind::kRoles);
  AddIssued("tsunagi_registrar_certificates_issued_total", "Certificates of processes.", "kind",
            {{"enrolment", enrolled}, {"renewal", renewed}}, families);
  AddIssued("tsunagi_registrar_tokens_issued_total", "Access tokens.", "grant",
            {{"client_credentials", token}, {"token_exchange", exchange}}, families);
  AddIssued("tsunagi_registrar_credentials_issued_total", "Verifiable credentials that were signed.", "kind",
            {{"membership", membership}, {"roles", roles}}, families);
  AddRefusals({{"enrolment", enrolled},
               {"renewal", renewed},
               {"client_credentials", token},
               {"token_exchange", exchange},
               {"membership", membership},
               {"roles", roles}},
              families);
}

// The status list has those who have left, too.
void AddParticipants(const TrustView& view, Families& families) {
  double approved = 0;
  double active = 0;
  double suspended = 0;
  double left = 0;
  for (const auto& [did, party] : view.by_did) {
    const v1::ParticipantState state = party->participant.state();
    const bool is_suspended = state == v1::PARTICIPANT_STATE_SUSPENDED || view.IsSuspended(did);
    double& count = state == v1::PARTICIPANT_STATE_LEFT       ? left
                    : is_suspended                            ? suspended
                    : state == v1::PARTICIPANT_STATE_APPROVED ? approved
                                                              : active;
    ++count;
  }
  const auto add = [&](const char* state, double count) {
    families.Gauge("tsunagi_registrar_participants",
                   "Participants in the directory, the registrar among them.", count, {{"state", state}});
  };
  add("active", active);
  add("approved", approved);
  add("left", left);
  add("suspended", suspended);
}

void AddPendings(const store::Store& store, Families& families) {
  double waiting = 0;
  const absl::Status scanned =
      store.Scan(store::Table::kState, PendingPrefix(), "",
                 [&](absl::string_view, absl::string_view) { return ++waiting > 0; });
  if (!scanned.ok()) return;  // no value rather than a wrong one
  families.Gauge("tsunagi_registrar_pending_approvals", "Applications, changes and leavings that wait.",
                 waiting);
}

void AddKeys(const Authority& authority, absl::Time now, Families& families) {
  const auto add = [&](const char* key, const CertifiedKey& certified) {
    families.Gauge("tsunagi_registrar_key_expires_in_seconds",
                   "Until the certificate of a key that the registrar signs with ends.",
                   absl::ToDoubleSeconds(certified.certificate.not_after - now), {{"key", key}});
  };
  add("root", authority.root);
  add("issuing", authority.issuing);
  add("directory", authority.directory);
  add("status", authority.status);
}

}  // namespace

void AddRegistrar(Registrar& registrar, Families& families) {
  const RegistrarContext& context = registrar.context();
  AddActs(registrar, families);
  AddParticipants(*registrar.trust().View(), families);
  AddPendings(context.journal.store(), families);
  AddKeys(*context.authority.Get(), context.clock.Now(), families);
}

}  // namespace tsunagi::identity
