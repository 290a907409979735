#include "cli/output.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/text.h"

namespace tsunagi::cli {
namespace {

constexpr size_t kMaxCell = 400;

// Ranges that terminals show two columns wide (Unicode annex 11, W and F), coarsely.
constexpr char32_t kWide[][2] = {{0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0x33FF}, {0x3400, 0x4DBF},
                                 {0x4E00, 0x9FFF}, {0xA000, 0xA4CF}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF},
                                 {0xFE30, 0xFE4F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x20000, 0x3FFFD}};

size_t WidthOf(absl::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Utf8Char next = DecodeUtf8(text);
    const bool wide = std::any_of(std::begin(kWide), std::end(kWide), [&](const char32_t(&range)[2]) {
      return next.code_point >= range[0] && next.code_point <= range[1];
    });
    width += wide ? 2 : 1;
    text.remove_prefix(std::max<size_t>(next.length, 1));
  }
  return width;
}

std::vector<std::string> Cells(const std::vector<std::string>& row) {
  std::vector<std::string> cells;
  cells.reserve(row.size());
  for (const std::string& cell : row) cells.push_back(Printable(cell, kMaxCell));
  return cells;
}

void AppendRow(std::string& out, const std::vector<std::string>& cells, const std::vector<size_t>& widths) {
  for (size_t i = 0; i < cells.size(); ++i) {
    out += cells[i];
    if (i + 1 < cells.size()) out.append(widths[i] - WidthOf(cells[i]) + 2, ' ');
  }
  out += '\n';
}

// Whether a stored fact says something else; otherwise a label, an identifier or a request was used before.
bool IsAboutAFact(const absl::Status& status) {
  const auto detail = DetailOf(status);
  return detail && detail->reason() == "CONTENT_DIFFERS";
}

// What helps most often, by the kind of the error.
absl::string_view NextStep(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return "check that the process runs and that its address in operator.yaml is right: `tsunagi health`";
    case absl::StatusCode::kUnauthenticated:
      return "this profile's certificate or token is not accepted: enrol again with `tsunagi enrol`";
    case absl::StatusCode::kPermissionDenied:
      return "this command is for another role or participant, or this one is suspended: see `tsunagi "
             "participant list`";
    case absl::StatusCode::kNotFound:
      return "check the identifier or path; what you may not see looks the same as what does not exist";
    case absl::StatusCode::kAlreadyExists:
      return IsAboutAFact(status)
                 ? "facts cannot be rewritten: correct one with `tsunagi passport amend`"
                 : "what was to be new is there already, or its name is taken: choose another, or keep what "
                   "is "
                   "there; `tsunagi participant list` shows labels, identifiers and namespaces";
    case absl::StatusCode::kDataLoss:
      return "do not trust this data: keep it as evidence and tell its sender";
    case absl::StatusCode::kResourceExhausted:
      return "wait a moment and run the command again";
    default:
      return "correct it and run the command again; `--help` shows what each option takes";
  }
}

}  // namespace

std::string RenderTable(const Table& table) {
  std::vector<std::vector<std::string>> rows = {Cells(table.header)};
  for (const auto& row : table.rows) rows.push_back(Cells(row));
  std::vector<size_t> widths(table.header.size(), 0);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  std::string out;
  for (const auto& row : rows) AppendRow(out, row, widths);
  return out;
}

std::string Render(const Output& output, Format format) {
  if (format == Format::kJson) {
    return output.json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  std::string out;
  for (const Output::Block& block : output.blocks) {
    if (block.table.header.empty()) {
      absl::StrAppend(&out, block.text, "\n");
    } else {
      out += RenderTable(block.table);
    }
  }
  return out;
}

std::string RenderError(const absl::Status& status, Format format) {
  const absl::string_view next = NextStep(status);
  if (format == Format::kTable) return absl::StrCat("error: ", status.message(), "\nnext: ", next, "\n");
  Json error = {{"code", absl::StatusCodeToString(status.code())},
                {"message", std::string(status.message())}};
  if (const auto detail = DetailOf(status)) {
    error.update(ToJson(*detail));
  }
  error["next"] = std::string(next);
  return Json{{"error", error}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tsunagi::cli
