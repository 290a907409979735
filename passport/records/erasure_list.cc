#include "passport/records/erasure_list.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace tsunagi::passport {
namespace {

// 3.8 million entries.
constexpr size_t kMaxBytes = size_t{256} << 20;
constexpr size_t kDigestSize = 32;

absl::StatusOr<ErasedPart> ParseEntry(absl::string_view line) {
  const std::pair<absl::string_view, absl::string_view> fields =
      absl::StrSplit(line, absl::MaxSplits(' ', 1));
  const absl::StatusOr<std::string> digest = FromHex(fields.first);
  uint32_t slot = 0;
  if (!digest.ok() || digest->size() != kDigestSize || !absl::SimpleAtoi(fields.second, &slot)) {
    return absl::DataLossError("expected the digest of an event in hex, a space and a slot");
  }
  return ErasedPart(*digest, slot);
}

absl::StatusOr<std::vector<ErasedPart>> ReadEntries(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxBytes));
  std::vector<ErasedPart> entries;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    absl::StatusOr<ErasedPart> entry = ParseEntry(line);
    if (!entry.ok()) {
      return absl::DataLossError(absl::StrCat("`", path, "`, line ", entries.size() + 1, ": ",
                                              entry.status().message(), ": put the newest copy back"));
    }
    entries.push_back(*std::move(entry));
  }
  return entries;
}

// Nothing that the cut entry stands for was acknowledged.
absl::Status CutUnfinished(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path, kMaxBytes);
  if (absl::IsNotFound(text.status())) return WriteFileAtomically(path, "", 0600);
  RETURN_IF_ERROR(text.status());
  if (text->empty() || text->back() == '\n') return absl::OkStatus();
  const size_t end = text->rfind('\n');
  text->resize(end == std::string::npos ? 0 : end + 1);
  return WriteFileAtomically(path, *text, 0600);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ErasureList>> ErasureList::Open(std::string path) {
  RETURN_IF_ERROR(CutUnfinished(path));
  ASSIGN_OR_RETURN(const std::vector<ErasedPart> entries, ReadEntries(path));
  return std::unique_ptr<ErasureList>(new ErasureList(std::move(path), entries.size()));
}

absl::StatusOr<uint64_t> ErasureList::Add(const std::set<ErasedPart>& parts) {
  std::string lines;
  for (const ErasedPart& part : parts) absl::StrAppend(&lines, ToHex(part.first), " ", part.second, "\n");
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(AppendToFile(path_, lines));
  size_ += parts.size();
  return size_;
}

uint64_t ErasureList::size() const {
  MutexLock lock(mutex_);
  return size_;
}

absl::StatusOr<std::set<ErasedPart>> ErasureList::After(uint64_t known) const {
  MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(const std::vector<ErasedPart> entries, ReadEntries(path_));
  std::set<ErasedPart> later;
  for (size_t i = known; i < entries.size(); ++i) later.insert(entries[i]);
  return later;
}

}  // namespace tsunagi::passport
