#include "core/base/fatal.h"

#include <cstdio>
#include <cstdlib>

namespace tsunagi {

void Fatal(absl::string_view what) {
  std::fprintf(stderr, "fatal: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace tsunagi
