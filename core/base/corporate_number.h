// 法人番号: the 13-digit number of a Japanese corporation (番号法施行令; check digit by 財務省令).
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi {

class CorporateNumber {
 public:
  // Exactly 13 ASCII digits whose first is the check digit of the other twelve; a base of only 0 or only 9 is
  // refused although its check digit would pass. INVALID_ARGUMENT otherwise, saying which digit was expected.
  static absl::StatusOr<CorporateNumber> Parse(absl::string_view text);
  const std::string& text() const { return text_; }
  friend auto operator<=>(const CorporateNumber&, const CorporateNumber&) = default;

 private:
  explicit CorporateNumber(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace tsunagi
