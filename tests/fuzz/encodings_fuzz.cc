// Hex, base64 and UTF-8 from outside: one text for one value, and what is shown is one line of UTF-8.
#include <cstdlib>
#include <string>

#include "core/base/bytes.h"
#include "core/base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsunagi;  // NOLINT: a program of its own
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto bytes = FromHex(text); bytes.ok() && ToHex(*bytes) != text) std::abort();
  if (const auto bytes = FromBase64(text); bytes.ok() && ToBase64(*bytes) != text) std::abort();
  if (const auto bytes = FromBase64Url(text); bytes.ok() && ToBase64Url(*bytes) != text) std::abort();
  if (FromHex(ToHex(text)).value() != text || FromBase64(ToBase64(text)).value() != text ||
      FromBase64Url(ToBase64Url(text)).value() != text) {
    std::abort();
  }
  const std::string shown = Printable(text, 128);
  if (!IsValidUtf8(shown) || shown.find('\n') != std::string::npos) std::abort();
  std::string copied;
  for (absl::string_view rest = text; !rest.empty();) {
    const Utf8Char c = DecodeUtf8(rest);
    if (c.length == 0) {
      if (IsValidUtf8(text)) std::abort();
      return 0;
    }
    AppendUtf8(copied, c.code_point);
    rest.remove_prefix(c.length);
  }
  if (copied != text || !IsValidUtf8(text)) std::abort();
  return 0;
}
