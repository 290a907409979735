#include "cli/import.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"

namespace tsunagi::cli {
namespace {

using passport::v1::ImportFactsRequest;

ImportFactsRequest RequestFor(const FileFacts& facts, const Batch& batch) {
  ImportFactsRequest request;
  for (size_t i = batch.begin; i < batch.end; ++i) *request.add_facts() = facts.facts[i];
  return request;
}

// The node counts facts within a request, from 1; people count rows of their file.
absl::Status NameRow(const absl::Status& status, const FileFacts& facts, const Batch& batch) {
  auto detail = DetailOf(status);
  if (!detail || detail->row() == 0 || detail->row() > batch.end - batch.begin) return status;
  const uint64_t row = facts.rows[batch.begin + detail->row() - 1];
  const std::string message = absl::StrReplaceAll(
      status.message(), {{absl::StrCat("row ", detail->row(), ": "), absl::StrCat("row ", row, ": ")}});
  detail->set_row(row);
  return WithDetail(absl::Status(status.code(), message), *detail);
}

// Warnings are `<index>: <text>`, the index of the fact in the request from 0.
std::string NameRow(absl::string_view warning, const FileFacts& facts, const Batch& batch) {
  const size_t colon = warning.find(':');
  size_t index = 0;
  if (!absl::SimpleAtoi(warning.substr(0, colon), &index) || index >= batch.end - batch.begin) {
    return std::string(warning);
  }
  return absl::StrCat("row ", facts.rows[batch.begin + index], warning.substr(colon));
}

bool IsUnchanged(int outcome) { return outcome == passport::v1::IMPORT_OUTCOME_UNCHANGED; }

// What checking a batch found.
struct Checked {
  Batch batch;
  bool unchanged = false;  // all of it
};

absl::StatusOr<Checked> Check(const FileFacts& facts, const Batch& batch, Random& random,
                              const SendBatch& send, ImportReport& report) {
  ImportFactsRequest request = RequestFor(facts, batch);
  request.set_request_id(NewUuid(random));
  request.set_validate_only(true);
  const auto response = send(request);
  if (!response.ok()) return NameRow(response.status(), facts, batch);
  const auto& outcomes = response->outcomes();
  if (static_cast<size_t>(outcomes.size()) != batch.end - batch.begin) {
    return absl::InternalError("the node answered for another number of facts than it was sent");
  }
  for (int i = 0; i < outcomes.size(); ++i) {
    if (IsUnchanged(outcomes[i]))
      report.unchanged_rows.push_back(facts.rows[batch.begin + static_cast<size_t>(i)]);
  }
  for (const std::string& warning : response->warnings()) {
    report.warnings.push_back(NameRow(warning, facts, batch));
  }
  return Checked{batch, std::all_of(outcomes.begin(), outcomes.end(), IsUnchanged)};
}

absl::Status Write(const FileFacts& facts, const Batch& batch, size_t number, const ImportOptions& options,
                   const SendBatch& send, ImportReport& report) {
  ImportFactsRequest request = RequestFor(facts, batch);
  request.set_request_id(BatchRequestId(options.file_digest, number, Encode(request)));
  const auto response = send(request);
  if (!response.ok()) return NameRow(response.status(), facts, batch);
  for (const int outcome : response->outcomes()) ++(IsUnchanged(outcome) ? report.unchanged : report.created);
  return absl::OkStatus();
}

}  // namespace

std::vector<Batch> MakeBatches(const std::vector<passport::v1::NewFact>& facts, size_t max_facts) {
  std::vector<Batch> batches;
  size_t bytes = 0;
  for (size_t i = 0; i < facts.size(); ++i) {
    const size_t size = facts[i].ByteSizeLong();
    const bool full =
        !batches.empty() && (i - batches.back().begin == max_facts || bytes + size > kMaxBatchBytes);
    if (batches.empty() || full) {
      batches.push_back({i, i});
      bytes = 0;
    }
    batches.back().end = i + 1;
    bytes += size;
  }
  return batches;
}

std::string BatchRequestId(absl::string_view file_digest, size_t batch, absl::string_view content) {
  std::string number;
  AppendU64(number, batch);
  const std::string hex =
      ToHex(crypto::Sha256({"tsunagi-import-batch", file_digest, number, crypto::Sha256(content)}));
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-8", hex.substr(12, 3), "-8",
                      hex.substr(15, 3), "-", hex.substr(18, 12));
}

absl::StatusOr<ImportReport> Import(const FileFacts& facts, const ImportOptions& options, Random& random,
                                    const SendBatch& send, std::ostream& progress) {
  ImportReport report;
  std::vector<Checked> checked;
  for (const Batch& batch : MakeBatches(facts.facts, options.max_facts)) {
    ASSIGN_OR_RETURN(checked.emplace_back(), Check(facts, batch, random, send, report));
  }
  progress << "checked " << facts.facts.size() << " facts of " << facts.rows.back() << " rows: no error\n";
  if (options.check_only) {
    report.unchanged = report.unchanged_rows.size();
    report.created = facts.facts.size() - report.unchanged;
    return report;
  }
  for (size_t i = 0; i < checked.size(); ++i) {
    const Batch& batch = checked[i].batch;
    if (checked[i].unchanged) {
      report.unchanged += batch.end - batch.begin;
      continue;
    }
    RETURN_IF_ERROR(Write(facts, batch, i, options, send, report));
    progress << "acknowledged rows " << facts.rows[batch.begin] << " to " << facts.rows[batch.end - 1]
             << ", batch " << i + 1 << " of " << checked.size() << std::endl;
  }
  return report;
}

absl::Status BrokenOff(const absl::Status& error, absl::string_view path) {
  const bool unanswered = absl::IsUnavailable(error) || absl::IsDeadlineExceeded(error);
  return Annotate(error, unanswered ? absl::StrCat(path, " is not complete, run the same command again")
                                    : std::string(path));
}

}  // namespace tsunagi::cli
