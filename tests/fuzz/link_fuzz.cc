// A QR link: no crash, and a serial that is one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "catalog/link.h"
#include "passport/model/identifiers.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto link = tsunagi::catalog::ParseLink({reinterpret_cast<const char*>(data), size});
  if (link.ok() && !tsunagi::passport::BatterySerial::Parse(link->serial).ok()) std::abort();
  return 0;
}
