// What an import would write: decided fact by fact, before anything is written.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "passport/records/batch.h"
#include "passport/records/context.h"
#include "passport/records/history.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::passport {

// Collects the new events of one request, in order. Reads through the store; writes nothing.
class ImportPlan {
 public:
  explicit ImportPlan(const RecordContext& context) : context_(context) {}

  // Decides on one fact that passed CheckFact. Errors as RecordWriter::ImportFacts.
  absl::StatusOr<v1::ImportOutcome> Add(const v1::NewFact& fact);

  // Appends an event whose header has type, subject, occurred_at and what the type needs; author, sequence
  // and chain are filled in. Returns its digest.
  absl::StatusOr<crypto::Digest> Append(v1::EventHeader header,
                                        const google::protobuf::RepeatedPtrField<v1::NewPart>& parts);

  // This participant's events about the battery, those of this plan included.
  absl::StatusOr<const std::vector<KeptEvent>*> HistoryOf(const BatteryId& battery);

  bool empty() const { return drafts_.empty(); }
  // The events, to be signed. The plan is empty afterwards.
  std::vector<DraftEvent> TakeDrafts() { return std::exchange(drafts_, {}); }

 private:
  absl::StatusOr<std::vector<KeptEvent>*> Load(const BatteryId& battery);
  absl::Status RefuseErased(const v1::EventHeader& header,
                            const google::protobuf::RepeatedPtrField<v1::NewPart>& parts);

  const RecordContext& context_;
  std::map<std::string, std::vector<KeptEvent>> histories_;  // by EventPrefix; pointers stay valid
  std::vector<DraftEvent> drafts_;
};

}  // namespace tsunagi::passport
