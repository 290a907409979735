// What every signed list has in common: its key, certified by a root, and its federation, version and time.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/key.h"
#include "google/protobuf/repeated_field.h"
#include "identity/bundle.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi::identity {

// Tolerated difference between clocks (reliability rows 3 and 18: 59 s passes, 61 s does not).
inline constexpr absl::Duration kClockSkew = absl::Seconds(60);

// Who signed a list: the root that certified the key, and since when the key is certified.
struct ListSigner {
  std::string root_sha256;
  absl::Time since = absl::InfinitePast();
};

struct CheckedSigner {
  crypto::PublicKey key;
  ListSigner signer;
};

// The key that signed `envelope`: `chain` is one certificate for exactly `uri` that a root of `bundle` which
// counts at `at` issued. UNAUTHENTICATED or INVALID_ARGUMENT otherwise.
absl::StatusOr<CheckedSigner> CheckSigner(const google::protobuf::RepeatedPtrField<std::string>& chain,
                                          absl::string_view uri, const common::v1::SignedEnvelope& envelope,
                                          absl::string_view payload_type, const Bundle& bundle,
                                          absl::Time at);

// A key that was replaced signs nothing new; its root may have been removed while the list was read.
// UNAUTHENTICATED then.
absl::Status CheckStillSigns(const Bundle& bundle, const ListSigner& known, const ListSigner& signer);

// Reads the payload: of this federation, with a version and a time. INVALID_ARGUMENT otherwise.
template <class List>
absl::Status OpenList(const common::v1::SignedEnvelope& envelope, absl::string_view federation, List& list) {
  RETURN_IF_ERROR(Decode(envelope.payload(), "signed list", list));
  if (list.federation() != federation) {
    return absl::InvalidArgumentError(
        absl::StrCat("is of federation `", list.federation(), "`, expected `", federation, "`"));
  }
  if (list.version() == 0) return absl::InvalidArgumentError("version is 0");
  return FromProto(list.issued_at()).status();
}

}  // namespace tsunagi::identity
