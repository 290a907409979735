// Logs as JSON lines on standard error.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace tsunagi::log {

// A field of a log line. Values are JSON-escaped, one line per event: no log injection.
using Field = std::pair<absl::string_view, std::string>;

// Sets the name that stands in every line as `process`, and the lowest level (debug, info, warning, error;
// info for anything else).
void Start(const std::string& process, const std::string& level);

// One line: {"time":…,"level":…,"process":…,"message":…,<fields>}. Never pass secrets, vehicle identifiers or
// names of people.
void Debug(absl::string_view message, std::initializer_list<Field> fields = {});
void Info(absl::string_view message, std::initializer_list<Field> fields = {});
void Warning(absl::string_view message, std::initializer_list<Field> fields = {});
void Error(absl::string_view message, std::initializer_list<Field> fields = {});

// Appends `text` as the inside of a JSON string: controls and marks that change direction as \u escapes,
// bytes that are no UTF-8 as U+FFFD.
void AppendJson(std::string& out, absl::string_view text);

}  // namespace tsunagi::log
