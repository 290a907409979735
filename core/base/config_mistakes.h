// What is wrong with a configuration file, collected to be told at once.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tsunagi {

// A field of a configuration whose value is well-formed but no good, or missing.
struct FieldMistake {
  std::string field;     // path such as `registrar.address`
  std::string value;     // empty when it is missing
  std::string expected;  // what would be good
};

// Mistakes of one file, at most 100 of them told.
class ConfigMistakes {
 public:
  // `name` stands for the file.
  explicit ConfigMistakes(absl::string_view name) : name_(name) {}

  // The field at `path` is given at `line`.
  void SeeField(const std::string& path, int line) { lines_[path] = line; }
  // Something at a line; at the field at `path`, or one in it.
  void Add(int line, absl::string_view what);
  void AddAt(const std::string& path, int line, absl::string_view what);
  // At the line of the field, or of the one around it; without a line when neither is there. Not told when
  // its text was a mistake already.
  void Add(const FieldMistake& mistake);

  // OK, or INVALID_ARGUMENT with a line "`name`:12: …" for each, in order of their lines.
  absl::Status Result() const;

 private:
  // The field itself and those around it, innermost first; the last is "", the file.
  static std::vector<std::string> Around(absl::string_view path);

  const std::string name_;
  std::map<std::string, int> lines_;
  std::set<std::string> wrong_;
  std::vector<std::pair<int, std::string>> mistakes_;  // line, or 0
  size_t more_mistakes_ = 0;
};

}  // namespace tsunagi
