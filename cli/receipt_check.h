// Verification of a receipt (提供証明) with nothing but the federation's root: no network, no clock.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/parts.h"
#include "core/crypto/certificate.h"
#include "tsunagi/audit/v1/record.pb.h"
#include "tsunagi/identity/v1/directory.pb.h"

namespace tsunagi::cli {

// What a valid receipt proves.
struct CheckedReceipt {
  std::string federation;
  identity::v1::Participant provider;
  audit::v1::Record record;  // has a release
  uint64_t leaf_index = 0;
  std::string origin;  // of the provider's log
  bool has_content = false;
  std::vector<ReleasedPart> parts;  // of the content: their author is the provider, its signatures verify
};

// Checks, in this order: the one encoding; the directory key's certificates up to `root` at the time of the
// record, for directories alone; its signature over the provider's entry; every signature line of the
// checkpoint; the record's place in the log; that the record is a release by this provider; the content's
// digest; and the signatures over the events in it. DATA_LOSS or INVALID_ARGUMENT naming the first that
// fails.
absl::StatusOr<CheckedReceipt> CheckReceipt(absl::string_view text, const crypto::Certificate& root);

}  // namespace tsunagi::cli
