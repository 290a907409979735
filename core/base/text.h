// UTF-8 that came from outside: checked, and made safe to show.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace tsunagi {

// A character at the start of a text.
struct Utf8Char {
  char32_t code_point = 0;
  size_t length = 0;  // bytes, 1 to 4; 0 when the text is empty or does not start with well-formed UTF-8
};

// The first character of `text`. Overlong forms, surrogates and values above U+10FFFF are ill-formed.
Utf8Char DecodeUtf8(absl::string_view text);

bool IsValidUtf8(absl::string_view text);

// Appends the UTF-8 form of `code_point`, which must be a Unicode scalar value.
void AppendUtf8(std::string& out, char32_t code_point);

// True for characters that act on a screen instead of showing: C0 and C1 controls, DEL, line and paragraph
// separators, marks that change direction, zero-width ones and the byte order mark.
bool IsControl(char32_t code_point);

// Well-formed UTF-8 without control characters (see IsControl).
bool IsOneLine(absl::string_view text);

// `text` on one line for messages: at most `max_bytes` bytes of it (whole characters), controls as `\u202e`,
// bytes that are no UTF-8 as `\xff`.
std::string Printable(absl::string_view text, size_t max_bytes);

}  // namespace tsunagi
