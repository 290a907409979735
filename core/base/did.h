// DID and label of a participant, as types that cannot be invalid.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi {

// A did:web identifier (W3C did:web method): at most 255 characters, a DNS host and path segments of
// [a-z0-9._-] in lower case, no port and no percent-encoding: one spelling for one participant.
class Did {
 public:
  // INVALID_ARGUMENT naming the value and the expected form.
  static absl::StatusOr<Did> Parse(absl::string_view text);
  const std::string& text() const { return text_; }
  friend auto operator<=>(const Did&, const Did&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Did& did) {
    return H::combine(std::move(h), did.text_);
  }

 private:
  explicit Did(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// The DNS label that names a participant in certificates and log origins: 1 to 40 of [a-z0-9-], no hyphen at
// an end.
class Label {
 public:
  static absl::StatusOr<Label> Parse(absl::string_view text);
  const std::string& text() const { return text_; }
  friend auto operator<=>(const Label&, const Label&) = default;

 private:
  explicit Label(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace tsunagi
