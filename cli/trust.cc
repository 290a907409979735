#include "cli/trust.h"

#include <utility>

#include "absl/time/clock.h"
#include "services/http/est_client.h"

namespace tsunagi::cli {

using identity::Bundle;

Bundle KeptBundle(const Profile& profile, const internal::v1::OperatorConfig& config,
                  const crypto::Certificate& root) {
  const auto kept = profile.LoadTrustBundle();
  if (kept.has_value()) {
    // It was vouched for when it was kept.
    absl::StatusOr<Bundle> bundle = identity::OpenBundle(*kept, config.federation());
    if (bundle.ok()) return *std::move(bundle);
  }
  return identity::PinnedBundle(root);
}

Bundle NewestBundle(const Profile& profile, const internal::v1::OperatorConfig& config, Bundle believed) {
  const absl::StatusOr<std::string> bytes = http::FetchTrustBundle(config.registrar().est_url());
  identity::v1::SignedTrustBundle fetched;
  if (!bytes.ok() || !fetched.ParseFromString(*bytes)) return believed;
  absl::StatusOr<Bundle> newest =
      identity::OpenVouchedBundle(fetched, believed, config.federation(), absl::Now());
  if (!newest.ok() || newest->version <= believed.version || newest->RootsAt(absl::Now()).empty())
    return believed;
  // One that cannot be kept serves this run.
  profile.SaveTrustBundle(fetched).IgnoreError();
  return *std::move(newest);
}

}  // namespace tsunagi::cli
