// No Grant, no data: functions that read sovereign data take a const Grant&.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tsunagi/internal/v1/grant.pb.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::connector {
class Enforcer;
}  // namespace tsunagi::connector

namespace tsunagi::grant {

class Unsealer;

// A decision to release, unforgeable by type: only the Enforcer and the Unsealer build one.
class Grant {
 public:
  Grant(Grant&&) = default;
  Grant& operator=(Grant&&) = default;
  Grant(const Grant&) = delete;
  Grant& operator=(const Grant&) = delete;

  bool Opens(passport::v1::PartKind kind) const { return ((claims_.part_mask() >> kind) & 1u) != 0; }
  // Whether the subjects' digest is the one that was decided on (see SubjectsDigest).
  bool Covers(absl::string_view subjects_digest) const {
    return claims_.subjects_digest() == subjects_digest;
  }
  const internal::v1::GrantClaims& claims() const { return claims_; }

 private:
  friend class tsunagi::connector::Enforcer;
  friend class Unsealer;
  explicit Grant(internal::v1::GrantClaims claims) : claims_(std::move(claims)) {}

  internal::v1::GrantClaims claims_;
};

}  // namespace tsunagi::grant
