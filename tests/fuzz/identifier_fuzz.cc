// Identifiers from a command line or a scanner: exactly one kind, and an error that tells no vehicle.
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "cli/identifier.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto identifier = tsunagi::cli::ParseIdentifier(text);
  if (!identifier.ok()) {
    if (absl::StartsWith(text, "vehicle:") && text.size() > 16 &&
        absl::StrContains(identifier.status().message(), text.substr(8))) {
      std::abort();
    }
    return 0;
  }
  const int kinds = (identifier->vehicle.empty() ? 0 : 1) + (identifier->link.empty() ? 0 : 1) +
                    (identifier->serial.empty() ? 0 : 1);
  if (kinds != 1 || identifier->serial.empty() != identifier->maker.empty()) std::abort();
  return 0;
}
