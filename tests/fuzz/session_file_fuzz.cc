// The file of sessions that a process follows: what is read is written back alike.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/base/proto.h"
#include "identity/people/session_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tsunagi::internal::v1::SessionFile file;
  if (!tsunagi::Decode({reinterpret_cast<const char*>(data), size}, "sessions", file).ok()) return 0;
  for (const auto& stored : file.sessions()) {
    const auto session = tsunagi::people::FromStored(stored);
    if (!session.ok()) continue;
    const auto again = tsunagi::people::FromStored(tsunagi::people::ToStored(*session));
    if (!again.ok() || again->digest != session->digest || again->expires != session->expires) std::abort();
  }
  return 0;
}
