// Events and batches as they are made: salts, digests, one signature over many events.
#pragma once

#include <string>
#include <vector>

#include "core/audit/journal.h"
#include "core/base/caller.h"
#include "core/crypto/digest.h"
#include "passport/records/context.h"
#include "tsunagi/internal/v1/storage.pb.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::passport {

// An event that is not signed yet.
struct DraftEvent {
  v1::EventHeader header;
  internal::v1::StoredEvent stored;     // batch, index and path are still missing
  std::vector<store::Write> person;     // erasable parts and look-up keys of vehicles
  std::vector<std::string> tombstones;  // keys that refuse this event, were they there
  std::vector<std::string> heads;       // head keys of the battery and of the vehicles in it
};

// Fills nonce and slots of `header`, draws a fresh salt for every slot (an empty slot holds the digest of
// one) and computes the digests. `parts` passed CheckFact or CheckAmendment; subject, author, sequence,
// previous_digest and occurred_at are set.
DraftEvent BuildEvent(v1::EventHeader header, const google::protobuf::RepeatedPtrField<v1::NewPart>& parts,
                      const RecordSecrets& secrets, Random& random);

// Normal forms of what an erasable part points at: vehicles in every way it names them, or the person's name.
std::vector<std::string> PointedAt(v1::PartKind kind, const std::string& content);

// Signs the drafts (1 to 10,000) as one batch and adds to `commit`: events, parts, look-up keys, serial
// index, the batch with its leaf, the leaf's record, head keys, and reads that let no other writer take the
// same numbers. `caller` asked for it; null when the node acts by itself.
void AddBatch(const RecordContext& context, std::vector<DraftEvent> drafts, const Caller* caller,
              audit::Commit& commit);

// RFC 6962 tree over a batch: root and every path in O(n log n) together.
class BatchTree {
 public:
  // At least one leaf hash.
  explicit BatchTree(std::vector<crypto::Digest> leaf_hashes);
  const crypto::Digest& root() const { return levels_.back().front(); }
  std::vector<crypto::Digest> Path(size_t index) const;

 private:
  std::vector<std::vector<crypto::Digest>>
      levels_;  // leaves first; a last node without sibling moves up as it is
};

}  // namespace tsunagi::passport
