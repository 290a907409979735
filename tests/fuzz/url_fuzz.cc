// URLs from other parties' documents, and addresses from their DNS.
#include <cstddef>
#include <cstdint>
#include <string>

#include "services/http/egress.h"
#include "services/http/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  (void)tsunagi::http::IsPublicAddress(bytes);
  const auto url = tsunagi::http::ParseHttpsUrl(bytes);
  if (!url.ok()) return 0;
  // The parts are the whole: nothing was dropped on the way.
  const std::string again = "https://" + url->authority + url->path;
  if (again != bytes && again != bytes + "/") __builtin_trap();
  if (url->host.empty() || url->port.empty() || url->path.front() != '/') __builtin_trap();
  return 0;
}
