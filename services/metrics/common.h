// What every process shows: one function for each thing that it has.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/audit/journal.h"
#include "identity/people/session_table.h"
#include "identity/trust.h"
#include "services/metrics/families.h"
#include "services/rpc/call_counts.h"
#include "services/rpc/worker_pool.h"

namespace tsunagi::metrics {

// `process` is the name in certificates.
void AddBuild(absl::string_view process, Families& families);
void AddCalls(const rpc::CallCounts& counts, Families& families);
void AddTrust(const identity::TrustStore& trust, absl::Time now, Families& families);
void AddJournal(const audit::Journal& journal, Families& families);
void AddSessions(const people::SessionTable& sessions, Families& families);
// Of the process's own certificate for mutual TLS.
void AddOwnCertificate(absl::Time not_after, absl::Time now, Families& families);
void AddPool(absl::string_view pool, const rpc::WorkerPool& workers, Families& families);

}  // namespace tsunagi::metrics
