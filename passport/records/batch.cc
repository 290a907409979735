#include "passport/records/batch.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "absl/types/span.h"
#include "core/audit/actor.h"
#include "core/audit/merkle.h"
#include "core/base/proto.h"
#include "core/crypto/envelope.h"
#include "passport/model/digests.h"
#include "passport/model/identifiers.h"
#include "passport/model/slots.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::passport {
namespace {

using store::Table;

constexpr size_t kNonceSize = 16;

const v1::NewPart* FindPart(const google::protobuf::RepeatedPtrField<v1::NewPart>& parts, v1::PartKind kind) {
  const auto found =
      std::find_if(parts.begin(), parts.end(), [&](const v1::NewPart& p) { return p.kind() == kind; });
  return found == parts.end() ? nullptr : &*found;
}

// Puts an erasable part, its look-up keys and its tombstones into the draft.
void AddErasable(const v1::NewPart& part, uint32_t index, std::string disclosure,
                 const RecordSecrets& secrets, DraftEvent& draft) {
  const v1::EventHeader& header = draft.header;
  draft.person.push_back(store::Put(Table::kPerson,
                                    PartKey(header.subject(), header.author(), header.sequence(), index),
                                    std::move(disclosure)));
  for (const std::string& text : PointedAt(part.kind(), part.content())) {
    draft.tombstones.push_back(TombstoneKey(secrets, header, part.kind(), text));
    if (part.kind() != v1::PART_KIND_VEHICLE) continue;
    const absl::StatusOr<VehicleIdentifier> vehicle = VehicleIdentifier::Parse(text);
    if (!vehicle.ok()) continue;
    draft.heads.push_back(VehicleHeadKey(secrets, *vehicle));
    draft.person.push_back(store::Put(
        Table::kPerson, VehicleKey(secrets, *vehicle, header.subject(), header.sequence(), index), ""));
  }
}

// Fills one slot and returns its digest.
crypto::Digest FillSlot(uint32_t index, v1::PartKind kind, const v1::NewPart* part,
                        const RecordSecrets& secrets, Random& random, DraftEvent& draft) {
  internal::v1::StoredSlot& slot = *draft.stored.add_slots();
  slot.set_kind(kind);
  v1::SlotDisclosure disclosure;
  disclosure.mutable_open()->set_salt(random.Bytes(kSaltSize));
  if (part != nullptr) disclosure.mutable_open()->set_content(part->content());
  slot.set_digest(PartDigest(index, disclosure.open().salt(), disclosure.open().content()));
  if (part != nullptr && IsErasable(kind)) {
    slot.set_erasable(true);
    AddErasable(*part, index, Encode(disclosure), secrets, draft);
  } else if (part != nullptr) {
    slot.set_disclosure(Encode(disclosure));
  }
  return slot.digest();
}

v1::BatchStatement StatementOf(const RecordContext& context, const BatchTree& tree, size_t count) {
  v1::BatchStatement statement;
  statement.set_merkle_root(tree.root());
  statement.set_event_count(count);
  statement.set_federation(context.federation);
  statement.set_author(context.did);
  statement.set_key_id(context.signing_key.id());
  statement.set_algorithm(context.signing_key.algorithm());
  return statement;
}

std::string RecordOf(const RecordContext& context, absl::string_view envelope_digest, size_t count,
                     const Caller* caller) {
  audit::v1::Record record;
  *record.mutable_time() = ToProto(context.clock.Now());
  record.mutable_batch()->set_envelope_digest(std::string(envelope_digest));
  record.mutable_batch()->set_event_count(count);
  if (caller != nullptr) audit::NameActor(*caller, record);
  return Encode(record);
}

}  // namespace

std::vector<std::string> PointedAt(v1::PartKind kind, const std::string& content) {
  std::vector<std::string> pointed_at;
  if (kind == v1::PART_KIND_PERSON) {
    v1::PersonPart person;
    if (Decode(content, "person", person).ok()) pointed_at.push_back(person.name());
    return pointed_at;
  }
  v1::VehiclePart part;
  if (!Decode(content, "vehicle", part).ok()) return pointed_at;
  for (const std::string& text : {part.chassis_number(), part.vin()}) {
    const absl::StatusOr<VehicleIdentifier> vehicle = VehicleIdentifier::Parse(text);
    if (!vehicle.ok() || (!pointed_at.empty() && pointed_at[0] == vehicle->normal())) continue;
    pointed_at.push_back(vehicle->normal());
  }
  return pointed_at;
}

DraftEvent BuildEvent(v1::EventHeader header, const google::protobuf::RepeatedPtrField<v1::NewPart>& parts,
                      const RecordSecrets& secrets, Random& random) {
  DraftEvent draft;
  const absl::Span<const v1::PartKind> slots = SlotsOf(header.type());
  header.set_nonce(random.Bytes(kNonceSize));
  for (const v1::PartKind kind : slots) header.add_slots(kind);
  draft.header = std::move(header);
  draft.heads.push_back(HeadKey(draft.header.subject()));
  std::vector<crypto::Digest> digests;
  for (size_t i = 0; i < slots.size(); ++i) {
    digests.push_back(
        FillSlot(static_cast<uint32_t>(i), slots[i], FindPart(parts, slots[i]), secrets, random, draft));
  }
  draft.stored.set_header(Encode(draft.header));
  draft.stored.set_type(draft.header.type());
  draft.stored.set_refers_to(draft.header.refers_to());
  draft.stored.set_digest(EventDigest(draft.stored.header(), digests));
  return draft;
}

void AddBatch(const RecordContext& context, std::vector<DraftEvent> drafts, const Caller* caller,
              audit::Commit& commit) {
  std::vector<crypto::Digest> leaves;
  for (const DraftEvent& draft : drafts) leaves.push_back(audit::LeafHash(draft.stored.digest()));
  const BatchTree tree(std::move(leaves));
  internal::v1::StoredBatch batch;
  *batch.mutable_statement() = crypto::Sign(context.signing_key, kBatchStatementType,
                                            Encode(StatementOf(context, tree, drafts.size())));
  const crypto::Digest digest = crypto::Sha256(Encode(batch.statement()));
  commit.record = RecordOf(context, digest, drafts.size(), caller);
  std::set<std::string> heads;
  for (size_t i = 0; i < drafts.size(); ++i) {
    DraftEvent& draft = drafts[i];
    draft.stored.set_batch(digest);
    draft.stored.set_index(i);
    for (crypto::Digest& hash : tree.Path(i)) draft.stored.add_path(std::move(hash));
    std::string key = EventKey(draft.header.subject(), draft.header.author(), draft.header.sequence());
    commit.reads.push_back(key);
    commit.reads.insert(commit.reads.end(), draft.tombstones.begin(), draft.tombstones.end());
    commit.writes.push_back(store::Put(Table::kState, std::move(key), Encode(draft.stored)));
    if (draft.header.sequence() == 1) {
      commit.writes.push_back(store::Put(Table::kState, SerialKey(draft.header.subject()), ""));
    }
    std::move(draft.person.begin(), draft.person.end(), std::back_inserter(commit.writes));
    heads.insert(draft.heads.begin(), draft.heads.end());
  }
  for (const std::string& head : heads) commit.writes.push_back(Touch(head));
  commit.on_index = [batch = std::move(batch), digest](uint64_t leaf_index,
                                                       std::vector<store::Write>& writes) mutable {
    batch.set_leaf_index(leaf_index);
    writes.push_back(store::Put(Table::kState, BatchKey(digest), Encode(batch)));
    writes.push_back(store::Put(Table::kState, UndatedKey(leaf_index), digest));
  };
}

BatchTree::BatchTree(std::vector<crypto::Digest> leaf_hashes) {
  levels_.push_back(std::move(leaf_hashes));
  while (levels_.back().size() > 1) {
    const std::vector<crypto::Digest>& below = levels_.back();
    std::vector<crypto::Digest> level;
    for (size_t i = 0; i + 1 < below.size(); i += 2) level.push_back(audit::NodeHash(below[i], below[i + 1]));
    if (below.size() % 2 == 1) level.push_back(below.back());
    levels_.push_back(std::move(level));
  }
}

std::vector<crypto::Digest> BatchTree::Path(size_t index) const {
  std::vector<crypto::Digest> path;
  for (const std::vector<crypto::Digest>& level : levels_) {
    const size_t sibling = index ^ 1;
    if (sibling < level.size()) path.push_back(level[sibling]);
    index /= 2;
  }
  return path;
}

}  // namespace tsunagi::passport
