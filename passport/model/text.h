// Unicode text in the form in which it is compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi::passport {

// Code points of `text` in normalization form KC (Unicode annex 15): half- and full-width forms become one.
// INVALID_ARGUMENT when it is not UTF-8.
absl::StatusOr<std::vector<int32_t>> NormalizeKc(absl::string_view text);

// The form in which people's texts are compared: normalization form KC with case folded, so that half- and
// full-width forms, and capitals, are alike. INVALID_ARGUMENT when it is not UTF-8.
absl::StatusOr<std::string> FoldForSearch(absl::string_view text);

// The UTF-8 of valid code points.
std::string ToUtf8(const std::vector<int32_t>& code_points);

}  // namespace tsunagi::passport
