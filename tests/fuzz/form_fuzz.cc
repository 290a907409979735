// What strangers post to the token endpoint.
#include <cstddef>
#include <cstdint>
#include <string>

#include "services/http/form.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto form = tsunagi::http::ParseForm("application/x-www-form-urlencoded", bytes);
  (void)tsunagi::http::ParseForm(bytes, "a=b");
  // Nothing that is empty or hidden reaches a handler.
  if (!form.ok()) return 0;
  for (const auto& [name, value] : *form) {
    if (name.empty() || value.empty() || value.find('\0') != std::string::npos) __builtin_trap();
  }
  return 0;
}
