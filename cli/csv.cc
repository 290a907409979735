#include "cli/csv.h"

#include <csv.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"

namespace tsunagi::cli {
namespace {

// libcsv's parser with what its callbacks collect. Only LF ends a row; CR counts as a blank, so that CRLF is
// one end.
class Reader {
 public:
  Reader() {
    csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL);
    csv_set_term_func(&parser_, [](unsigned char c) { return c == '\n' ? 1 : 0; });
    csv_set_space_func(&parser_, [](unsigned char c) { return c == ' ' || c == '\t' || c == '\r' ? 1 : 0; });
  }
  ~Reader() { csv_free(&parser_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  bool Read(absl::string_view bytes) {
    return csv_parse(&parser_, bytes.data(), bytes.size(), &Reader::OnField, &Reader::OnRow, this) ==
           bytes.size();
  }
  // Ends the last row where the file ends without a line feed.
  bool Finish() { return csv_fini(&parser_, &Reader::OnField, &Reader::OnRow, this) == 0; }

  // Lines seen so far, the header included.
  uint64_t lines() const { return lines_; }
  std::vector<CsvRow> TakeRows() { return std::move(rows_); }

 private:
  static void OnField(void* data, size_t size, void* self) {
    static_cast<Reader*>(self)->fields_.emplace_back(static_cast<const char*>(data), size);
  }
  static void OnRow(int, void* self) {
    auto* reader = static_cast<Reader*>(self);
    const uint64_t number = reader->lines_++;
    std::vector<std::string> fields = std::exchange(reader->fields_, {});
    const bool blank =
        std::all_of(fields.begin(), fields.end(), [](const std::string& f) { return f.empty(); });
    if (!blank) reader->rows_.push_back({number, std::move(fields)});
  }

  csv_parser parser_;
  uint64_t lines_ = 0;
  std::vector<std::string> fields_;
  std::vector<CsvRow> rows_;
};

std::string Place(uint64_t row) { return row == 0 ? "header" : absl::StrCat("row ", row); }

absl::Status WithRow(absl::Status status, uint64_t row) {
  ErrorDetail detail = DetailOf(status).value_or(ErrorDetail());
  detail.set_row(row);
  return WithDetail(Annotate(status, Place(row)), detail);
}

// Text that is in no form of a value: encoding, quotes, structure.
absl::Status BadFile(uint64_t row, absl::string_view reason, absl::string_view what) {
  ErrorDetail detail;
  detail.set_reason(std::string(reason));
  detail.set_expected(std::string(what));
  return WithRow(WithDetail(absl::InvalidArgumentError(what), detail), row);
}

absl::Status CheckEncoding(absl::string_view bytes) {
  uint64_t row = 0;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const absl::string_view line = bytes.substr(0, end);
    if (line.find('\0') != absl::string_view::npos || !IsValidUtf8(line)) {
      return BadFile(row, "NOT_UTF8", "expected UTF-8 text: save the file as `CSV UTF-8`");
    }
    if (end == absl::string_view::npos) break;
    bytes.remove_prefix(end + 1);
    ++row;
  }
  return absl::OkStatus();
}

absl::Status CheckHeader(const std::vector<std::string>& header) {
  for (size_t i = 0; i < header.size(); ++i) {
    if (header[i].empty()) {
      return BadFile(0, "COLUMN_UNNAMED",
                     absl::StrCat("column ", i + 1, " has no name: expected one for each column"));
    }
    if (std::find(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(i), header[i]) !=
        header.begin() + static_cast<std::ptrdiff_t>(i)) {
      return BadFile(0, "COLUMN_REPEATED",
                     absl::StrCat("column `", header[i], "` stands twice: expected once"));
    }
  }
  return absl::OkStatus();
}

// What was cut within its last field looks whole, and once signed it cannot be corrected: a file shows its
// end by a line break. A closing quote shows nothing, since the cut may be between two doubled ones.
absl::Status CheckEnd(const CsvFile& file, absl::string_view bytes) {
  if (bytes.back() == '\n') return absl::OkStatus();
  const CsvRow& last = file.rows.back();
  if (last.fields.size() < file.header.size()) {
    return BadFile(last.number, "FILE_TRUNCATED",
                   absl::StrCat("the file ends within the row, after ", last.fields.size(), " of ",
                                file.header.size(), " fields: it was cut off; export it again"));
  }
  return BadFile(last.number, "FILE_TRUNCATED",
                 absl::StrCat("the file ends without a line break, so that field `", file.header.back(),
                              "` may be cut off: export it again, or, if the row is whole, end it with a "
                              "line break"));
}

absl::Status CheckWidth(const CsvFile& file) {
  for (const CsvRow& row : file.rows) {
    if (row.fields.size() == file.header.size()) continue;
    return BadFile(row.number, "FIELD_COUNT",
                   absl::StrCat("the row has ", row.fields.size(), " fields: expected ", file.header.size(),
                                " as in the header"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<CsvRow>> ReadRows(absl::string_view bytes) {
  Reader reader;
  if (!reader.Read(bytes)) {
    return BadFile(
        reader.lines(), "QUOTE_MISPLACED",
        "a quote stands within a field: expected the whole field in quotes and inner quotes doubled");
  }
  if (!reader.Finish()) {
    return BadFile(reader.lines(), "FILE_TRUNCATED", "a quoted field is never closed: the file was cut off");
  }
  return reader.TakeRows();
}

}  // namespace

absl::Status RowError(uint64_t row, absl::string_view reason, absl::string_view field,
                      absl::string_view value, absl::string_view expected) {
  return WithRow(InvalidArgument({.reason = reason, .field = field, .value = value, .expected = expected}),
                 row);
}

absl::StatusOr<CsvFile> ParseCsv(absl::string_view bytes) {
  absl::ConsumePrefix(&bytes, "\xEF\xBB\xBF");
  RETURN_IF_ERROR(CheckEncoding(bytes));
  ASSIGN_OR_RETURN(std::vector<CsvRow> rows, ReadRows(bytes));
  if (rows.empty() || rows.front().number != 0)
    return BadFile(0, "HEADER_MISSING", "expected the column names in the first line");
  CsvFile file;
  file.header = std::move(rows.front().fields);
  file.rows.assign(std::make_move_iterator(rows.begin() + 1), std::make_move_iterator(rows.end()));
  RETURN_IF_ERROR(CheckHeader(file.header));
  if (file.rows.empty())
    return BadFile(0, "NO_ROWS", "the file has no rows after the header: expected at least one");
  RETURN_IF_ERROR(CheckEnd(file, bytes));
  RETURN_IF_ERROR(CheckWidth(file));
  return file;
}

}  // namespace tsunagi::cli
