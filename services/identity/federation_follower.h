// Fetches what the federations that are trusted publish: their next trust bundle, and their roster. Blocking.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "identity/registrar.h"
#include "services/http/egress.h"

namespace tsunagi::identity {

// Thread-safe. What is fetched is signed, so it does not matter which certificate an edge shows.
class FederationFollower {
 public:
  // `registrar` must outlive the follower. `egress` says which addresses are open beside public ones.
  FederationFollower(Registrar& registrar, http::EgressOptions egress);

  // Bundle and roster of every federation that is trusted; failures are logged, and keep no other one from
  // being asked.
  void Run();

  // Bundle and roster of one federation. Both are tried; the first error.
  absl::Status Follow(const std::string& federation, absl::string_view url);

  // The serialised bundle that the edge at `url` (`https://host:port`) offers, as anybody may have sent it.
  // Errors are those of FetchDocument.
  absl::StatusOr<std::string> FetchBundle(absl::string_view url) const;

 private:
  absl::Status FollowBundle(const std::string& federation, absl::string_view url);
  absl::Status TakeRoster(absl::string_view url);

  Registrar& registrar_;
  const http::EgressOptions egress_;
};

}  // namespace tsunagi::identity
