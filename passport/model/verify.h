// Disclosed events: who wrote them, when they were dated, and that nothing was changed.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/crypto/digest.h"
#include "core/crypto/key.h"
#include "tsunagi/common/v1/types.pb.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::passport {

// What verification needs of the signed directory, as look-ups, so that this folder stays pure
// (identity/evidence_keys.h makes one of a TrustView).
struct DirectoryKeys {
  std::string federation;
  // DID of the registrar, which approves amendments.
  std::string registrar;
  // The signing key with this id, whenever it was or is valid. NOT_FOUND otherwise.
  std::function<absl::StatusOr<crypto::PublicKey>(absl::string_view did, absl::string_view key_id)>
      signing_key;
  // OK when the signing key counts at that time.
  std::function<absl::Status(absl::string_view did, absl::string_view key_id, absl::Time at)> counts_at;
  // Keys of the participant's log with this origin.
  std::function<std::vector<crypto::PublicKey>(absl::string_view did, absl::string_view origin)> log_keys;
  // Time of the registrar's cosignature on a checkpoint note; an error when it has none that verifies.
  std::function<absl::StatusOr<absl::Time>(absl::string_view note)> cosigned_at;
  // Signatures that are not dated yet count when their key counts now.
  absl::Time now;
};

// An open part. `source` is the caller's number for where it came from.
struct VerifiedPart {
  v1::PartKind kind = v1::PART_KIND_UNSPECIFIED;
  std::string content;
  bool erased = false;  // only in the owner's view: the content is gone
  size_t source = 0;
};

// An event whose author and bytes are certain.
struct VerifiedEvent {
  crypto::Digest digest;
  v1::EventHeader header;
  std::vector<VerifiedPart> parts;
  std::optional<absl::Time> dated_at;  // absent: not yet dated
  bool approved = false;               // AMENDMENT_APPROVED whose registrar's signature is valid
};

// A batch whose signature is certain.
struct VerifiedBatch {
  v1::BatchStatement statement;
  std::optional<absl::Time> dated_at;
};

// Checks signature, federation, author and key of a batch, and its place in the author's log when it has one.
// DATA_LOSS naming what does not fit.
absl::StatusOr<VerifiedBatch> VerifyBatch(const v1::BatchEvidence& evidence, const DirectoryKeys& keys);

// Digest of an event as disclosed. DATA_LOSS unless it has one slot for each of the header's, and each is a
// digest or a part with its salt.
absl::StatusOr<crypto::Digest> DisclosedDigest(const v1::EventHeader& header,
                                               const v1::EventDisclosure& disclosure);

// DATA_LOSS unless the header's slots are those of its type.
absl::Status CheckSlotTable(const v1::EventHeader& header);

// Checks header, slots and path of one event against its batch. Parts with unknown fields are left out
// (withheld whole). DATA_LOSS naming what does not fit; UNIMPLEMENTED when the header has unknown fields or
// an unknown type: such an event is neither folded nor released.
absl::StatusOr<VerifiedEvent> VerifyDisclosure(const v1::EventDisclosure& disclosure,
                                               const VerifiedBatch& batch, const DirectoryKeys& keys,
                                               size_t source);

// Events of one EventSet, and remarks on what was left out.
struct VerifiedSet {
  std::vector<VerifiedEvent> events;
  std::vector<std::string> warnings;
};

// Verifies a serialised EventSet about `battery`. DATA_LOSS when anything in it is wrong.
absl::StatusOr<VerifiedSet> VerifyEventSet(absl::string_view bytes, const common::v1::BatteryId& battery,
                                           const DirectoryKeys& keys, size_t source);

// The registrar's approval inside an AMENDMENT_APPROVED event by `author` for `proposal_digest`. DATA_LOSS
// otherwise.
absl::Status VerifyApproval(absl::string_view envelope, absl::string_view proposal_digest,
                            absl::string_view author, const DirectoryKeys& keys);

}  // namespace tsunagi::passport
