// Dating: keeps, with each batch, its proof under a checkpoint that the registrar cosigned.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "passport/records/context.h"

namespace tsunagi::passport {

// Thread-safe as long as one call runs at a time; blocks until durable.
class Dater {
 public:
  // `context` must outlive the dater.
  explicit Dater(const RecordContext& context) : context_(context) {}

  // Takes a cosigned checkpoint of this process's log: every batch that it covers and that is not dated yet
  // gets its log proof, which never changes again (the earliest cosignature counts). Returns how many batches
  // were dated. DATA_LOSS when the note is not one of this log or the directory's registrar has not cosigned
  // it.
  absl::StatusOr<uint64_t> OnCosigned(const std::string& note);

 private:
  const RecordContext& context_;
};

}  // namespace tsunagi::passport
