// Session tokens from a header: nothing but the one text of the one token opens the session.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/bytes.h"
#include "core/crypto/digest.h"
#include "identity/people/session_table.h"

namespace {

using tsunagi::people::Session;
using tsunagi::people::SessionTable;

SessionTable& Table() {
  static const tsunagi::SystemClock clock;
  static auto& table = *new SessionTable(clock);
  const absl::Time now = clock.Now();
  table.Put({tsunagi::crypto::Sha256(std::string(32, 's')), "a-0123456789", tsunagi::people::kViewer,
             "certificate", now, absl::InfiniteFuture(), absl::InfiniteFuture(), absl::InfiniteFuture()});
  return table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static SessionTable& table = Table();
  const absl::string_view token(reinterpret_cast<const char*>(data), size);
  const bool opened = table.Use(token, "certificate").ok();
  if (opened != (token == tsunagi::ToBase64Url(std::string(32, 's')))) std::abort();
  return 0;
}
