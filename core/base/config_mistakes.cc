#include "core/base/config_mistakes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/text.h"

namespace tsunagi {
namespace {

constexpr size_t kMaxMistakes = 100;
constexpr size_t kMaxShownBytes = 128;

}  // namespace

void ConfigMistakes::Add(int line, absl::string_view what) {
  if (mistakes_.size() >= kMaxMistakes) {
    ++more_mistakes_;
    return;
  }
  const std::string place = line > 0 ? absl::StrCat(name_, ":", line) : name_;
  mistakes_.emplace_back(line, absl::StrCat(place, ": ", what));
}

void ConfigMistakes::AddAt(const std::string& path, int line, absl::string_view what) {
  wrong_.insert(path);
  Add(line, what);
}

void ConfigMistakes::Add(const FieldMistake& mistake) {
  int line = 0;
  for (const std::string& path : Around(mistake.field)) {
    if (wrong_.contains(path)) return;
    const auto found = lines_.find(path);
    if (line == 0 && found != lines_.end()) line = found->second;
  }
  const std::string is =
      mistake.value.empty() ? "missing" : absl::StrCat("`", Printable(mistake.value, kMaxShownBytes), "`");
  Add(line, absl::StrCat("`", mistake.field, "` is ", is, ": expected ", mistake.expected));
}

absl::Status ConfigMistakes::Result() const {
  if (mistakes_.empty()) return absl::OkStatus();
  std::vector<std::pair<int, std::string>> sorted = mistakes_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text = absl::StrJoin(sorted, "\n", [](std::string* out, const auto& m) { *out += m.second; });
  if (more_mistakes_ > 0) absl::StrAppend(&text, "\n", name_, ": and ", more_mistakes_, " more mistakes");
  return absl::InvalidArgumentError(text);
}

std::vector<std::string> ConfigMistakes::Around(absl::string_view path) {
  std::vector<std::string> around = {std::string(path)};
  for (size_t end = path.rfind('.'); end != absl::string_view::npos; end = path.rfind('.')) {
    path = path.substr(0, end);
    around.emplace_back(path);
  }
  around.emplace_back();
  return around;
}

}  // namespace tsunagi
