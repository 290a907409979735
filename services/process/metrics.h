// The metrics of a participant's process.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "core/audit/journal.h"
#include "core/base/clock.h"
#include "identity/people/session_table.h"
#include "identity/trust.h"
#include "services/metrics/families.h"
#include "services/process/cosigner.h"
#include "services/process/credentials.h"
#include "services/rpc/guard.h"
#include "services/rpc/worker_pool.h"

namespace tsunagi::process {

// Where the values come from.
struct MetricSources {
  const std::string& process;  // name in certificates
  const Clock& clock;
  const rpc::Guard& guard;
  const identity::TrustStore& trust;
  const Credentials& credentials;
  const audit::Journal& journal;
  const Cosigner& cosigner;
  const std::atomic<int64_t>& cosigned_at;  // Unix seconds; 0 when never since the start
  const people::SessionTable& sessions;
  const rpc::WorkerPool& workers;
  const rpc::WorkerPool& inbound;
};

// Thread-safe; reads no network and at most one key of the store.
void CollectMetrics(const MetricSources& sources, metrics::Families& families);

}  // namespace tsunagi::process
