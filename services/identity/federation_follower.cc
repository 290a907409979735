#include "services/identity/federation_follower.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "services/http/est_client.h"

namespace tsunagi::identity {

FederationFollower::FederationFollower(Registrar& registrar, http::EgressOptions egress)
    : registrar_(registrar), egress_(std::move(egress)) {}

void FederationFollower::Run() {
  const std::shared_ptr<const Federations> federations = registrar_.trust().View()->federations;
  for (const auto& [name, federation] : federations->by_name) {
    if (federation->revoked()) continue;
    const absl::Status followed = Follow(name, federation->record.url());
    if (followed.ok()) continue;
    log::Warning("a trusted federation was not followed",
                 {{"federation", name}, {"reason", std::string(followed.message())}});
  }
}

absl::Status FederationFollower::Follow(const std::string& federation, absl::string_view url) {
  absl::Status status = FollowBundle(federation, url);
  status.Update(TakeRoster(url));
  return status;
}

absl::StatusOr<std::string> FederationFollower::FetchBundle(absl::string_view url) const {
  return http::FetchDocument(absl::StrCat(url, http::kTrustBundlePath), egress_);
}

absl::Status FederationFollower::FollowBundle(const std::string& federation, absl::string_view url) {
  ASSIGN_OR_RETURN(const std::string bytes, FetchBundle(url));
  v1::SignedTrustBundle bundle;
  RETURN_IF_ERROR(Decode(bytes, "trust bundle", bundle));
  const absl::StatusOr<bool> news = WaitFor<bool>(
      [&](Done<bool> done) { registrar_.federations().Follow(federation, bundle, std::move(done)); });
  if (news.ok() && *news)
    log::Info("a trusted federation's next bundle counts", {{"federation", federation}});
  return news.status();
}

absl::Status FederationFollower::TakeRoster(absl::string_view url) {
  const absl::StatusOr<std::string> bytes =
      http::FetchDocument(absl::StrCat(url, http::kRosterPath), egress_);
  if (!bytes.ok()) return Annotate(bytes.status(), "its roster");
  v1::SignedRoster roster;
  RETURN_IF_ERROR(Decode(*bytes, "roster", roster));
  return registrar_.TakeRoster(roster);
}

}  // namespace tsunagi::identity
