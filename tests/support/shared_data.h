// Other people's data, read where it lies and never copied into the project.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace tsunagi::testing {

// Path of data/<name> in $TSUNAGI_SHARED_DIR or <source>/../shared; nothing when it is missing:
//   const auto path = SharedData("golden-vectors.json");
//   if (!path) GTEST_SKIP() << kSharedDataMissing;
inline std::optional<std::string> SharedData(absl::string_view name) {
  const char* given = std::getenv("TSUNAGI_SHARED_DIR");
  const std::string root = given != nullptr ? given : TSUNAGI_SOURCE_DIR "/../shared";
  std::string path = root + "/data/" + std::string(name);
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path;
}

inline constexpr char kSharedDataMissing[] =
    "shared data not found: set TSUNAGI_SHARED_DIR to the folder that has data/golden-vectors.json";

}  // namespace tsunagi::testing
