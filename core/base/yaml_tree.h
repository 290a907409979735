// YAML as a tree that keeps line numbers and duplicate keys, without anything that could grow out of bounds.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi {

inline constexpr size_t kMaxYamlBytes = 1 << 20;
inline constexpr size_t kMaxYamlDepth = 32;

// A value of a YAML document.
struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };
  Kind kind = Kind::kNull;
  int line = 1;                 // 1 for the first
  std::string text;             // kScalar
  bool quoted = false;          // kScalar: in quotes or a block, so never a number or a truth value
  std::vector<YamlNode> keys;   // kMap, beside `items`; may repeat
  std::vector<YamlNode> items;  // kSequence, kMap
};

// The one document in `yaml`; kNull when there is none. INVALID_ARGUMENT "<name>:<line>: …" when it is larger
// than kMaxYamlBytes, deeper than kMaxYamlDepth, no UTF-8, no YAML, several documents, or has anchors,
// aliases or tags.
absl::StatusOr<YamlNode> ParseYamlTree(absl::string_view yaml, absl::string_view name);

}  // namespace tsunagi
