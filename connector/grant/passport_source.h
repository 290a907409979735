// Where a connector reads under a Grant: the participant's own records, in this process or in another.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "connector/grant/grant.h"
#include "tsunagi/common/v1/types.pb.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::grant {

class PassportSource {
 public:
  using Done = std::function<void(absl::StatusOr<passport::v1::ReadPartsResponse>)>;
  virtual ~PassportSource() = default;
  // Reads what the grant opens of each subject that exists. `done` is called exactly once, possibly before
  // this returns. PERMISSION_DENIED when the grant does not cover the subjects or has expired.
  virtual void ReadParts(const Grant& grant, absl::Span<const common::v1::Subject> subjects, Done done) = 0;
};

}  // namespace tsunagi::grant
