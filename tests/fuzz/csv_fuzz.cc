// CSV files of companies: any bytes become facts or an error that is valid UTF-8 and names the place.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/csv_facts.h"
#include "core/base/error.h"
#include "core/base/text.h"

namespace {

// An error about a row or the header, whatever the file was.
void CheckError(const absl::Status& status) {
  if (!absl::IsInvalidArgument(status) || !tsunagi::IsValidUtf8(status.message())) std::abort();
  const bool placed =
      absl::StartsWith(status.message(), "row ") || absl::StartsWith(status.message(), "header: ");
  if (!placed || !tsunagi::DetailOf(status).has_value()) std::abort();
}

absl::StatusOr<std::string> KnownParty(absl::string_view name) {
  if (name == "cell-maker") return "did:web:battery.example:participants:cell-maker";
  return absl::NotFoundError("no such participant");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsunagi::cli;  // NOLINT: a fuzz target
  const auto file = ParseCsv(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!file.ok()) {
    CheckError(file.status());
    return 0;
  }
  const auto kind = GuessKind(*file);
  if (!kind.ok()) {
    CheckError(kind.status());
    return 0;
  }
  const auto facts = ReadFacts(*file, *kind, "did:web:battery.example:participants:cell-maker", KnownParty);
  if (!facts.ok()) {
    CheckError(facts.status());
  } else if (facts->facts.empty() || facts->facts.size() != facts->rows.size()) {
    std::abort();
  }
  return 0;
}
