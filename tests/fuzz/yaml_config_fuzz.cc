// Configuration files: any bytes are read or refused with lines of valid UTF-8 that name the file, and a
// refused file changes nothing.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "core/base/config.h"
#include "core/base/text.h"
#include "tsunagi/internal/v1/config.pb.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tsunagi::internal::v1::NodeConfig config;
  const absl::string_view yaml(reinterpret_cast<const char*>(data), size);
  const absl::Status status = tsunagi::ParseYaml(yaml, "node.yaml", config);
  if (status.ok()) return 0;
  if (config.ByteSizeLong() != 0) std::abort();
  if (!tsunagi::IsValidUtf8(status.message())) std::abort();
  for (const absl::string_view line : absl::StrSplit(status.message(), '\n')) {
    if (!absl::StartsWith(line, "node.yaml:")) std::abort();
  }
  return 0;
}
