// What is wrong with the part of a configuration that names the company's OpenID Connect provider.
#pragma once

#include <vector>

#include "core/base/config_mistakes.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::process {

// Each field of `openid_provider` that is missing or wrong. The files that it names are read at the start.
std::vector<FieldMistake> MistakesInOpenId(const internal::v1::OpenIdProvider& provider);

}  // namespace tsunagi::process
