#include "passport/records/reader.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "connector/grant/seal.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "passport/model/identifiers.h"
#include "passport/model/slots.h"
#include "passport/records/history.h"
#include "passport/records/wire.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::passport {
namespace {

using internal::v1::StoredBatch;
using internal::v1::StoredEvent;
using internal::v1::StoredSlot;
using store::Table;

absl::Status Damaged() { return absl::DataLossError("the store holds a damaged event"); }

// A stored slot as bytes inside the event.
struct SlotView {
  v1::PartKind kind = v1::PART_KIND_UNSPECIFIED;
  absl::string_view digest;
  absl::string_view disclosure;
  bool erasable = false;
};

bool ViewSlot(absl::string_view bytes, SlotView& slot) {
  FieldReader fields(bytes);
  while (fields.Next()) {
    if (fields.number() == StoredSlot::kKindFieldNumber)
      slot.kind = static_cast<v1::PartKind>(fields.varint());
    if (fields.number() == StoredSlot::kDigestFieldNumber) slot.digest = fields.bytes();
    if (fields.number() == StoredSlot::kDisclosureFieldNumber) slot.disclosure = fields.bytes();
    if (fields.number() == StoredSlot::kErasableFieldNumber) slot.erasable = fields.varint() != 0;
  }
  return fields.ok();
}

// A stored event as bytes: views into its value.
struct EventView {
  v1::EventType type = v1::EVENT_TYPE_UNSPECIFIED;
  absl::string_view header, batch, digest, refers_to;
  uint64_t index = 0;
  absl::InlinedVector<SlotView, 4> slots;           // the largest slot table
  absl::InlinedVector<absl::string_view, 14> path;  // a batch of 10,000
};

bool ViewEvent(absl::string_view value, EventView& event) {
  FieldReader fields(value);
  while (fields.Next()) {
    switch (fields.number()) {
      case StoredEvent::kHeaderFieldNumber:
        event.header = fields.bytes();
        break;
      case StoredEvent::kSlotsFieldNumber:
        if (!ViewSlot(fields.bytes(), event.slots.emplace_back())) return false;
        break;
      case StoredEvent::kBatchFieldNumber:
        event.batch = fields.bytes();
        break;
      case StoredEvent::kIndexFieldNumber:
        event.index = fields.varint();
        break;
      case StoredEvent::kPathFieldNumber:
        event.path.push_back(fields.bytes());
        break;
      case StoredEvent::kTypeFieldNumber:
        event.type = static_cast<v1::EventType>(fields.varint());
        break;
      case StoredEvent::kDigestFieldNumber:
        event.digest = fields.bytes();
        break;
      case StoredEvent::kRefersToFieldNumber:
        event.refers_to = fields.bytes();
        break;
      default:
        return false;
    }
  }
  return fields.ok();
}

// The disclosure of an open slot, a view into the event or into `kept`; empty when there is nothing to open
// or the Grant does not. PERSON is never released.
absl::StatusOr<absl::string_view> OpenSlot(const store::Store& store, const EventView& event, uint32_t index,
                                           const grant::Grant& grant, std::string& kept) {
  const SlotView& slot = event.slots[index];
  if (!grant.Opens(slot.kind) || SectionOf(slot.kind) == common::v1::SECTION_UNSPECIFIED) {
    return absl::string_view();
  }
  if (!slot.erasable) return slot.disclosure;
  v1::EventHeader header;
  if (!Decode(event.header, "event header", header).ok()) return Damaged();
  absl::StatusOr<std::string> part =
      store.Get(Table::kPerson, PartKey(header.subject(), header.author(), header.sequence(), index));
  if (absl::IsNotFound(part.status())) return absl::string_view();
  ASSIGN_OR_RETURN(kept, std::move(part));
  return absl::string_view(kept);
}

// Evidence of batches as it goes into event sets: read once for all batteries of a request.
class EvidenceReader {
 public:
  EvidenceReader(const store::Store& store, EvidenceCache& cache) : store_(store), cache_(cache) {}

  // Serialised BatchEvidence; valid as long as this reader.
  absl::StatusOr<absl::string_view> Of(absl::string_view digest) {
    if (const auto known = known_.find(digest); known != known_.end()) {
      return absl::string_view(*known->second);
    }
    EvidenceCache::Evidence evidence = cache_.Find(digest);
    if (evidence == nullptr) {
      ASSIGN_OR_RETURN(evidence, Read(digest));
    }
    return absl::string_view(*known_.emplace(digest, std::move(evidence)).first->second);
  }

 private:
  absl::StatusOr<EvidenceCache::Evidence> Read(absl::string_view digest) {
    ASSIGN_OR_RETURN(const std::string batch, store_.Get(Table::kState, BatchKey(digest)));
    std::string evidence;
    evidence.reserve(batch.size() + 16);
    bool dated = false;
    FieldReader fields(batch);
    while (fields.Next()) {
      if (fields.number() == StoredBatch::kStatementFieldNumber) {
        AppendBytesField(evidence, v1::BatchEvidence::kStatementFieldNumber, fields.bytes());
      }
      if (fields.number() == StoredBatch::kLogProofFieldNumber) {
        AppendBytesField(evidence, v1::BatchEvidence::kLogFieldNumber, fields.bytes());
        dated = true;
      }
    }
    if (!fields.ok()) return Damaged();
    auto shared = std::make_shared<const std::string>(std::move(evidence));
    if (dated) cache_.Add(digest, shared);
    return shared;
  }

  const store::Store& store_;
  EvidenceCache& cache_;
  absl::flat_hash_map<std::string, EvidenceCache::Evidence> known_;
};

// Event sets of one battery after the other: batches once in each.
class SetWriter {
 public:
  SetWriter(const store::Store& store, EvidenceCache& cache, const grant::Grant& grant)
      : store_(store), grant_(grant), evidence_(store, cache) {}

  // Adds the stored event when a part of it opens, or when it approves a proposal that was added.
  absl::Status Add(absl::string_view stored) {
    EventView event;
    if (!ViewEvent(stored, event)) return Damaged();
    if (!IsKnownType(event.type)) return absl::OkStatus();
    Open open(event.slots.size());
    std::string kept;  // no event type has two slots that are erasable and released
    bool any = event.type == v1::EVENT_TYPE_AMENDMENT_APPROVED &&
               std::find(proposals_.begin(), proposals_.end(), event.refers_to) != proposals_.end();
    for (uint32_t i = 0; i < event.slots.size(); ++i) {
      ASSIGN_OR_RETURN(open[i], OpenSlot(store_, event, i, grant_, kept));
      any = any || !open[i].empty();
    }
    if (!any) return absl::OkStatus();
    if (event.type == v1::EVENT_TYPE_AMENDMENT_PROPOSED) proposals_.emplace_back(event.digest);
    Write(event, open);
    if (out_.size() <= kMaxBatteryBytes) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrCat("what is asked for of one battery has more than ",
                                                     kMaxBatteryBytes, " bytes: ask for fewer sections"));
  }

  // The serialised EventSet, empty without events; starts the next one.
  absl::StatusOr<std::string> Finish() {
    for (const std::string& digest : batches_) {
      ASSIGN_OR_RETURN(const absl::string_view evidence, evidence_.Of(digest));
      AppendBytesField(out_, v1::EventSet::kBatchesFieldNumber, evidence);
    }
    std::string set = out_;
    out_.clear();
    batches_.clear();
    proposals_.clear();
    return set;
  }

 private:
  using Open = absl::InlinedVector<absl::string_view, 4>;

  void Write(const EventView& event, const Open& open) {
    std::string& disclosure = disclosure_;
    disclosure.clear();
    AppendBytesField(disclosure, v1::EventDisclosure::kHeaderFieldNumber, event.header);
    for (size_t i = 0; i < open.size(); ++i) {
      withheld_.clear();
      if (open[i].empty()) {
        AppendBytesField(withheld_, v1::SlotDisclosure::kDigestFieldNumber, event.slots[i].digest);
      }
      AppendBytesField(disclosure, v1::EventDisclosure::kSlotsFieldNumber,
                       open[i].empty() ? absl::string_view(withheld_) : open[i]);
    }
    AppendVarintField(disclosure, v1::EventDisclosure::kBatchFieldNumber, BatchNumber(event.batch));
    AppendVarintField(disclosure, v1::EventDisclosure::kIndexFieldNumber, event.index);
    for (const absl::string_view hash : event.path) {
      AppendBytesField(disclosure, v1::EventDisclosure::kPathFieldNumber, hash);
    }
    AppendBytesField(out_, v1::EventSet::kEventsFieldNumber, disclosure);
  }

  uint64_t BatchNumber(absl::string_view digest) {
    const auto found = std::find(batches_.begin(), batches_.end(), digest);
    if (found != batches_.end()) return static_cast<uint64_t>(found - batches_.begin());
    batches_.emplace_back(digest);
    return batches_.size() - 1;
  }

  const store::Store& store_;
  const grant::Grant& grant_;
  EvidenceReader evidence_;
  std::string out_;
  std::string disclosure_, withheld_;  // scratch
  std::vector<std::string> batches_;
  std::vector<std::string> proposals_;
};

absl::Status Refused(absl::string_view why) {
  return absl::PermissionDeniedError(absl::StrCat("the grant ", why));
}

}  // namespace

RecordReader::RecordReader(const store::Store& store, RecordSecrets secrets, const Clock& clock)
    : store_(store), secrets_(std::move(secrets)), clock_(clock) {}

absl::StatusOr<v1::ReadPartsResponse> RecordReader::ReadParts(
    const grant::Grant& grant, absl::Span<const common::v1::Subject> subjects) const {
  if (subjects.empty() || subjects.size() > kMaxSubjects) {
    return InvalidArgument({"TOO_MANY", "subjects", absl::StrCat(subjects.size()), "1 to 1000 subjects"});
  }
  if (!grant.Covers(grant::SubjectsDigest(subjects))) return Refused("does not cover these subjects");
  const absl::StatusOr<absl::Time> expires = FromProto(grant.claims().expire_time());
  if (!expires.ok() || *expires <= clock_.Now()) return Refused("has expired");
  v1::ReadPartsResponse response;
  Batteries batteries;
  batteries.all.reserve(subjects.size());
  for (const common::v1::Subject& subject : subjects) {
    RETURN_IF_ERROR(AddBatteries(subject, grant, batteries, response));
  }
  RETURN_IF_ERROR(ReadBatteries(batteries.all, grant, response));
  return response;
}

absl::Status RecordReader::AddBatteries(const common::v1::Subject& subject, const grant::Grant& grant,
                                        Batteries& batteries, v1::ReadPartsResponse& response) const {
  if (subject.has_battery()) {
    batteries.all.push_back(&subject.battery());
    return absl::OkStatus();
  }
  if (!grant.Opens(v1::PART_KIND_VEHICLE) && !grant.claims().lookup()) return Refused("opens no vehicle");
  ASSIGN_OR_RETURN(const VehicleIdentifier vehicle, VehicleIdentifier::Parse(subject.vehicle()));
  response.add_read_keys(VehicleHeadKey(secrets_, vehicle));
  ASSIGN_OR_RETURN(std::vector<BatteryId> mounted, MountedOn(store_, secrets_, vehicle));
  for (BatteryId& battery : mounted) {
    batteries.all.push_back(&batteries.mounted.emplace_back(std::move(battery)));
  }
  return absl::OkStatus();
}

absl::Status RecordReader::ReadBatteries(const std::vector<const BatteryId*>& batteries,
                                         const grant::Grant& grant, v1::ReadPartsResponse& response) const {
  std::vector<std::string> prefixes;
  prefixes.reserve(batteries.size());
  for (const BatteryId* battery : batteries) prefixes.push_back(EventPrefix(*battery));
  SetWriter set(store_, evidence_, grant);
  size_t bytes = 0;
  std::optional<size_t> current;  // the place of the battery whose events come
  const auto finish = [&]() -> absl::Status {
    v1::ReadParts& parts = *response.add_batteries();
    parts.mutable_battery()->set_manufacturer(batteries[*current]->manufacturer());
    parts.mutable_battery()->set_serial(batteries[*current]->serial());
    ASSIGN_OR_RETURN(*parts.mutable_events(), set.Finish());
    bytes += parts.events().size();
    return absl::OkStatus();
  };
  absl::Status status;
  bool full = false;
  RETURN_IF_ERROR(
      store_.ScanEach(Table::kState, prefixes, [&](size_t place, absl::string_view, absl::string_view value) {
        if (current.has_value() && place != *current) {
          status = finish();
          full = bytes >= kFullBytes;
          if (!status.ok() || full) return false;
        }
        current = place;
        status = set.Add(value);
        return status.ok();
      }));
  RETURN_IF_ERROR(status);
  if (current.has_value() && !full) RETURN_IF_ERROR(finish());
  const size_t read = full ? *current + 1 : batteries.size();
  response.set_subjects_left(static_cast<uint32_t>(batteries.size() - read));
  for (size_t i = 0; i < read; ++i) response.add_read_keys(HeadKey(*batteries[i]));
  return absl::OkStatus();
}

}  // namespace tsunagi::passport
