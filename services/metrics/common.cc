#include "services/metrics/common.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/base/proto.h"

namespace tsunagi::metrics {
namespace {

constexpr double kNanosecond = 1e-9;

// Since `then`; endless when there is none yet, so that every alarm on an age goes off.
double AgeOf(absl::Time then, absl::Time now) { return std::max(0.0, absl::ToDoubleSeconds(now - then)); }

// A bundle that a process was pinned to is older than everything.
absl::Time IssuedAt(const identity::Bundle& bundle) {
  identity::v1::TrustBundle listed;
  if (bundle.version == 0 || !listed.ParseFromString(bundle.signed_bundle.bundle()))
    return absl::InfinitePast();
  return FromProto(listed.issued_at()).value_or(absl::InfinitePast());
}

using MethodCounts = std::pair<std::string, const rpc::CallCounts::Method*>;

// In order of their names, so that two scrapes are alike.
std::vector<MethodCounts> Sorted(const rpc::CallCounts& counts) {
  std::vector<MethodCounts> methods;
  for (const auto& [name, method] : counts.methods()) methods.emplace_back(name.substr(1), method.get());
  std::sort(methods.begin(), methods.end());
  return methods;
}

}  // namespace

void AddBuild(absl::string_view process, Families& families) {
  families.Gauge("tsunagi_build_info", "Always 1; the labels say what runs.", 1,
                 {{"process", std::string(process)}, {"version", TSUNAGI_VERSION}});
}

void AddCalls(const rpc::CallCounts& counts, Families& families) {
  const std::vector<MethodCounts> methods = Sorted(counts);
  for (const auto& [name, method] : methods) {
    for (size_t code = 0; code < rpc::CallCounts::kCodes; ++code) {
      const uint64_t calls = method->codes[code].load(std::memory_order_relaxed);
      // 17 codes of every method would be mostly zeros; OK is always there, so that a method's rate has a
      // start.
      if (calls == 0 && code != 0) continue;
      families.Counter(
          "tsunagi_calls_total", "Calls that have ended, by gRPC method and status code.",
          static_cast<double>(calls),
          {{"method", name}, {"code", absl::StatusCodeToString(static_cast<absl::StatusCode>(code))}});
    }
  }
  for (const auto& [name, method] : methods) {
    families.Distribution("tsunagi_call_seconds",
                          "From the arrival of a call to its status, without calls that were denied.",
                          method->nanoseconds.Read(), kNanosecond, {{"method", name}});
  }
  for (size_t i = 0; i < rpc::kDenials; ++i) {
    const auto denial = static_cast<rpc::Denial>(i);
    families.Counter("tsunagi_denials_total", "Calls and chunks that the guard refused, by reason.",
                     static_cast<double>(counts.denied(denial)), {{"reason", std::string(NameOf(denial))}});
  }
}

void AddTrust(const identity::TrustStore& trust, absl::Time now, Families& families) {
  const auto view = trust.View();
  families.Gauge("tsunagi_status_list_version", "Version of the status list that is believed.",
                 static_cast<double>(view->status_version));
  families.Gauge("tsunagi_status_list_age_seconds", "Since the status list was signed.",
                 AgeOf(view->status_issued_at, now));
  families.Gauge("tsunagi_directory_version", "Version of the directory that is believed.",
                 static_cast<double>(view->directory_version));
  families.Gauge("tsunagi_trust_bundle_version", "Version of the trust bundle that is believed.",
                 static_cast<double>(view->bundle->version));
  families.Gauge("tsunagi_trust_bundle_age_seconds", "Since the trust bundle was last changed.",
                 AgeOf(IssuedAt(*view->bundle), now));
}

void AddJournal(const audit::Journal& journal, Families& families) {
  families.Gauge("tsunagi_log_leaves", "Durable leaves of the log.", static_cast<double>(journal.Size()));
  families.Gauge("tsunagi_journal_writable", "1 while the journal takes commits.",
                 journal.Health().ok() ? 1 : 0);
  families.Distribution("tsunagi_journal_batch_rows", "Rows of one synced batch, which many commits share.",
                        journal.batches().rows(), 1);
  families.Distribution("tsunagi_journal_write_seconds", "Of one batch, its sync included.",
                        journal.batches().nanoseconds(), kNanosecond);
}

void AddSessions(const people::SessionTable& sessions, Families& families) {
  families.Gauge("tsunagi_sessions", "Sessions of people and apps that are open.",
                 sessions.Show().sessions_size());
}

void AddOwnCertificate(absl::Time not_after, absl::Time now, Families& families) {
  families.Gauge("tsunagi_certificate_expires_in_seconds",
                 "Until the process's own certificate ends; negative after its end.",
                 absl::ToDoubleSeconds(not_after - now));
}

void AddPool(absl::string_view pool, const rpc::WorkerPool& workers, Families& families) {
  families.Gauge("tsunagi_pool_waiting_jobs", "Jobs that wait for a thread of the pool.",
                 static_cast<double>(workers.Waiting()), {{"pool", std::string(pool)}});
}

}  // namespace tsunagi::metrics
