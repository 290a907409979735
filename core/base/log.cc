#include "core/base/log.h"

#include <algorithm>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "core/base/text.h"
#include "google/protobuf/stubs/logging.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace tsunagi::log {
namespace {

std::string JsonString(absl::string_view text) {
  std::string out = "\"";
  AppendJson(out, text);
  out += '"';
  return out;
}

void SetPattern(spdlog::logger& logger, absl::string_view process) {
  // A `%` in the name must not become a flag of the pattern.
  const std::string name = absl::StrReplaceAll(JsonString(process), {{"%", "%%"}});
  logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
      absl::StrCat(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","process":)", name, ",%v}"),
      spdlog::pattern_time_type::utc));
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made =
        std::make_shared<spdlog::logger>("tsunagi", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    SetPattern(*made, "");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

void Write(spdlog::level::level_enum level, absl::string_view message, std::initializer_list<Field> fields) {
  if (!Logger().should_log(level)) return;
  std::string line = absl::StrCat("\"message\":", JsonString(message));
  for (const Field& field : fields) {
    absl::StrAppend(&line, ",", JsonString(field.first), ":", JsonString(field.second));
  }
  Logger().log(level, spdlog::string_view_t(line.data(), line.size()));
}

// Protobuf complains about outside bytes on standard error in a form of its own: as JSON, and only for those
// who debug.
void WriteForProtobuf(google::protobuf::LogLevel level, const char*, int, const std::string& message) {
  Write(level >= google::protobuf::LOGLEVEL_FATAL ? spdlog::level::err : spdlog::level::debug, message, {});
}

}  // namespace

void AppendJson(std::string& out, absl::string_view text) {
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    const size_t length = std::max<size_t>(c.length, 1);
    if (c.length == 0) {
      out += "\\ufffd";
    } else if (c.code_point == '"' || c.code_point == '\\') {
      out += {'\\', text[0]};
    } else if (IsControl(c.code_point)) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<uint32_t>(c.code_point));
    } else {
      out.append(text.data(), length);
    }
    text.remove_prefix(length);
  }
}

void Start(const std::string& process, const std::string& level) {
  const spdlog::level::level_enum parsed = spdlog::level::from_str(level);
  const bool known = absl::StrContains(",debug,info,warning,error,", absl::StrCat(",", level, ","));
  google::protobuf::SetLogHandler(WriteForProtobuf);
  SetPattern(Logger(), process);
  Logger().set_level(known ? parsed : spdlog::level::info);
}

void Debug(absl::string_view message, std::initializer_list<Field> fields) {
  Write(spdlog::level::debug, message, fields);
}
void Info(absl::string_view message, std::initializer_list<Field> fields) {
  Write(spdlog::level::info, message, fields);
}
void Warning(absl::string_view message, std::initializer_list<Field> fields) {
  Write(spdlog::level::warn, message, fields);
}
void Error(absl::string_view message, std::initializer_list<Field> fields) {
  Write(spdlog::level::err, message, fields);
}

}  // namespace tsunagi::log
