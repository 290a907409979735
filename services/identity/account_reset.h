// Recovery of an administrator among the registrar's own people.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::identity {

// people::ResetAdministrator for the registrar of `config`, which is stopped.
absl::StatusOr<std::string> ResetOperatorAccount(const internal::v1::RegistrarConfig& config,
                                                 const std::string& account, const std::string& password_file,
                                                 const Clock& clock);

}  // namespace tsunagi::identity
