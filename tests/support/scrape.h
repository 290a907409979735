// Scrapes a process's metrics as Prometheus does, over HTTP.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::testing {

// By series as the text has it: `name{label="value",…}`.
using Samples = std::map<std::string, double>;

// GET http://<address><path>; the status code and the body.
struct Scraped {
  std::string code;
  std::string body;
};
inline Scraped HttpGet(const std::string& address, const std::string& path) {
  const TempDir dir;
  const std::string command =
      R"(/usr/bin/curl -s -o "$0" -w "%{http_code}" --max-time 10 "http://$1$2" >"$3")";
  RunProgram({"/bin/sh", "-c", command, dir.File("body"), address, path, dir.File("code")});
  return {ReadFile(dir.File("code"), 100).value_or(""), ReadFile(dir.File("body"), 1 << 20).value_or("")};
}

// The text of the process that serves from `data_dir`; empty when it shows none.
inline std::string ScrapeText(const std::string& data_dir) {
  const absl::StatusOr<std::string> address = ReadFile(data_dir + "/metrics-listen", 100);
  if (!address.ok()) return "";
  const Scraped scraped = HttpGet(std::string(absl::StripAsciiWhitespace(*address)), "/metrics");
  return scraped.code == "200" ? scraped.body : "";
}

inline Samples ParseSamples(absl::string_view text) {
  Samples samples;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const size_t space = line.rfind(' ');
    double value = 0;
    if (absl::StartsWith(line, "#") || !absl::SimpleAtod(line.substr(space + 1), &value)) continue;
    samples[std::string(line.substr(0, space))] = value;
  }
  return samples;
}

inline Samples Scrape(const std::string& data_dir) { return ParseSamples(ScrapeText(data_dir)); }

}  // namespace tsunagi::testing
