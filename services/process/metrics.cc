#include "services/process/metrics.h"

#include <algorithm>

#include "services/metrics/common.h"

namespace tsunagi::process {
namespace {

void AddCosigning(const MetricSources& sources, absl::Time now, metrics::Families& families) {
  const uint64_t cosigned = sources.cosigner.CosignedSize().value_or(0);
  const uint64_t leaves = sources.journal.Size();
  families.Gauge("tsunagi_cosign_lag_leaves", "Leaves that the registrar has not cosigned yet.",
                 static_cast<double>(leaves - std::min(cosigned, leaves)));
  const int64_t at = sources.cosigned_at;
  families.Gauge("tsunagi_cosign_age_seconds",
                 "Since the registrar answered that it had cosigned the newest checkpoint.",
                 absl::ToDoubleSeconds(at == 0 ? absl::InfiniteDuration() : now - absl::FromUnixSeconds(at)));
}

}  // namespace

void CollectMetrics(const MetricSources& sources, metrics::Families& families) {
  const absl::Time now = sources.clock.Now();
  metrics::AddBuild(sources.process, families);
  metrics::AddCalls(sources.guard.counts(), families);
  metrics::AddTrust(sources.trust, now, families);
  metrics::AddOwnCertificate(sources.credentials.Current()->chain[0].not_after, now, families);
  metrics::AddJournal(sources.journal, families);
  AddCosigning(sources, now, families);
  metrics::AddSessions(sources.sessions, families);
  metrics::AddPool("workers", sources.workers, families);
  metrics::AddPool("inbound", sources.inbound, families);
}

}  // namespace tsunagi::process
