// JSON that cannot be read in two ways.
#pragma once

#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace tsunagi::crypto {

// The object that `text` holds. Discarded (is_discarded()) unless it is exactly one JSON object (RFC 8259) in
// UTF-8, nested at most 16 deep, without a name that occurs twice in one object.
nlohmann::json ParseStrictObject(absl::string_view text);

}  // namespace tsunagi::crypto
