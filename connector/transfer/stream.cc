#include "connector/transfer/stream.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "connector/records.h"
#include "core/audit/merkle.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "passport/model/identifiers.h"

namespace tsunagi::connector {
namespace {

constexpr int kAttempts = 4;
// Left in the message for the proof and the framing of the contents.
constexpr size_t kProofBytes = 16 << 10;
constexpr size_t kFramingBytes = 5;

bool SameBattery(const common::v1::BatteryId& a, const common::v1::BatteryId& b) {
  return a.serial() == b.serial() && a.manufacturer() == b.manufacturer();
}

// Takes the elements at `places` out of `batteries`.
void Remove(const std::vector<size_t>& places, std::vector<common::v1::BatteryId>& batteries) {
  const absl::flat_hash_set<size_t> gone(places.begin(), places.end());
  size_t place = 0;
  batteries.erase(std::remove_if(batteries.begin(), batteries.end(),
                                 [&](const common::v1::BatteryId&) { return gone.contains(place++); }),
                  batteries.end());
}

}  // namespace

// A chunk under way.
struct ChunkReleases::Attempt {
  Use use;
  std::shared_ptr<StreamWork> work;
  Done done;
  int attempts = 0;
  // Of the attempt under way.
  audit::ReadVersion version = 0;
  std::shared_ptr<Authorization> authorization;
  std::vector<size_t> chosen;    // places in work->left that were read
  std::vector<size_t> finished;  // places that are done with when the chunk is durable
  policy::PartMask open = 0;
  std::vector<std::string> obligations;
  std::vector<std::string> parts_read;  // keys of what the passport read
  v1::ReleaseStreamResponse response;
};

absl::StatusOr<std::shared_ptr<StreamWork>> ChunkReleases::Begin(
    const v1::ReleaseStreamRequest& request) const {
  auto work = std::make_shared<StreamWork>();
  ASSIGN_OR_RETURN(work->sections, SectionsOf(request.sections()));
  RETURN_IF_ERROR(CheckPurpose(request.purpose()));
  if (request.batteries().empty() || request.batteries_size() > static_cast<int>(kMaxChunkRecords)) {
    return InvalidArgument(
        {"BATTERIES_WRONG", "batteries", absl::StrCat(request.batteries_size(), " entries"), "1 to 1,000"});
  }
  for (const common::v1::BatteryId& battery : request.batteries()) {
    RETURN_IF_ERROR(passport::CheckBatteryId(battery, "batteries"));
  }
  work->agreement = request.agreement();
  work->purpose = request.purpose();
  work->request_digest = RequestDigest(own_.request_digest_key, request);
  work->left.assign(request.batteries().begin(), request.batteries().end());
  return work;
}

void ChunkReleases::Next(const Caller& caller, std::shared_ptr<StreamWork> work, Done done) {
  auto attempt = std::make_shared<Attempt>();
  attempt->use = {Asker::Of(caller), work->agreement,      work->sections,
                  work->purpose,     work->request_digest, nullptr};
  attempt->work = std::move(work);
  attempt->done = std::move(done);
  Decide(std::move(attempt));
}

void ChunkReleases::Decide(Try attempt) {
  StreamWork& work = *attempt->work;
  while (true) {
    if (work.left.empty()) return attempt->done(absl::nullopt);
    attempt->version = journal_.Version();
    attempt->chosen.clear();
    std::vector<size_t> denied;
    const absl::Span<const common::v1::BatteryId> window =
        absl::MakeConstSpan(work.left).subspan(0, std::min(work.window, kMaxChunkRecords));
    Verdict verdict = enforcer_.AuthorizeChunk(attempt->use, window, attempt->chosen, denied);
    if (auto* authorization = std::get_if<Authorization>(&verdict)) {
      attempt->authorization = std::make_shared<Authorization>(std::move(*authorization));
      attempt->finished = std::move(denied);
      break;
    }
    const Denial& denial = std::get<Denial>(verdict);
    if (!denial.status.ok()) return Deny(std::move(attempt), denial);
    RecordLeftOut(*attempt, denied.size());
    Remove(denied, work.left);
  }
  std::vector<common::v1::Subject> subjects(attempt->chosen.size());
  for (size_t i = 0; i < subjects.size(); ++i) *subjects[i].mutable_battery() = work.left[attempt->chosen[i]];
  source_.ReadParts(attempt->authorization->grant, subjects,
                    [this, attempt](auto read) { Fill(attempt, std::move(read)); });
}

// Takes contents up to the chunk's limits; what does not fit stays for the next chunk, which decides again.
void ChunkReleases::Fill(Try attempt, absl::StatusOr<passport::v1::ReadPartsResponse> read) {
  if (!read.ok()) return attempt->done(read.status());
  attempt->response.Clear();
  attempt->open = 0;
  attempt->obligations.clear();
  attempt->parts_read.clear();
  TakeReadKeys(*read, attempt->parts_read);
  attempt->chosen.resize(attempt->chosen.size() -
                         std::min<size_t>(read->subjects_left(), attempt->chosen.size()));
  StreamWork& work = *attempt->work;
  const size_t left_out = attempt->finished.size();
  size_t bytes = 0;
  int next = 0;  // of what was read, which lacks the batteries that do not exist
  for (const size_t place : attempt->chosen) {
    if (next < read->batteries_size() && SameBattery(read->batteries(next).battery(), work.left[place])) {
      auto content = BuildContent(*attempt->authorization, std::move(*read->mutable_batteries(next++)));
      if (!content.ok()) return attempt->done(content.status());
      if (content->has_value()) {
        const size_t size = (*content)->bytes.size() + kFramingBytes;
        if (bytes > 0 && bytes + size > kMaxChunkBytes - kProofBytes) break;
        bytes += size;
        attempt->open |= (*content)->open;
        attempt->obligations.insert(attempt->obligations.end(), (*content)->obligations.begin(),
                                    (*content)->obligations.end());
        attempt->response.add_contents(std::move((*content)->bytes));
      }
    }
    attempt->finished.push_back(place);
  }
  if (attempt->response.contents().empty()) {
    RecordLeftOut(*attempt, left_out);
    Remove(attempt->finished, work.left);
    return Decide(std::move(attempt));
  }
  const size_t average = bytes / static_cast<size_t>(attempt->response.contents_size());
  work.window =
      std::clamp((kMaxChunkBytes - kProofBytes) / std::max<size_t>(average, 1), size_t{1}, kMaxChunkRecords);
  if (left_out > 0) RecordLeftOut(*attempt, left_out);
  Submit(std::move(attempt));
}

void ChunkReleases::Submit(Try attempt) {
  std::vector<std::string>& duties = attempt->obligations;
  std::sort(duties.begin(), duties.end());
  duties.erase(std::unique(duties.begin(), duties.end()), duties.end());
  audit::v1::Record record = RecordAt(clock_.Now());
  audit::v1::ChunkRecord& chunk = *record.mutable_chunk();
  FillRecord(own_, attempt->use, *attempt->authorization, attempt->open, duties, *chunk.mutable_release());
  std::vector<audit::Digest> leaves;
  for (const std::string& content : attempt->response.contents()) leaves.push_back(audit::LeafHash(content));
  chunk.set_merkle_root(audit::RootOf(leaves));
  chunk.set_record_count(static_cast<uint32_t>(leaves.size()));
  audit::Commit commit;
  commit.version = attempt->version;
  commit.reads = ReadKeys(*attempt->authorization, attempt->parts_read);
  commit.record = Encode(record);
  journal_.Submit(std::move(commit), [this, attempt](absl::StatusOr<audit::Committed> committed) {
    if (absl::IsAborted(committed.status()) && ++attempt->attempts < kAttempts) return Decide(attempt);
    if (!committed.ok()) return attempt->done(committed.status());
    Remove(attempt->finished, attempt->work->left);
    *attempt->response.mutable_proof() = std::move(committed->proof);
    attempt->done(absl::make_optional(std::move(attempt->response)));
  });
}

void ChunkReleases::Deny(Try attempt, const Denial& denial) {
  if (!denial.named) {
    denials_.Count(attempt->use.asker.did);
    return attempt->done(denial.status);
  }
  journal_.Submit(denials_.CommitOf(DenialOf(attempt->use.asker.did, denial.reasons)),
                  [attempt, status = denial.status](absl::StatusOr<audit::Committed> committed) {
                    attempt->done(committed.ok() ? status : committed.status());
                  });
}

// Batteries that a named party may not see leave a trace, which the chunk does not wait for.
void ChunkReleases::RecordLeftOut(const Attempt& attempt, size_t count) {
  if (count == 0) return;
  journal_.Submit(
      denials_.CommitOf(DenialOf(attempt.use.asker.did, {"LEFT_OUT_OF_STREAM"}, count)),
      [](absl::StatusOr<audit::Committed> committed) {
        if (!committed.ok())
          log::Error("a denial could not be recorded", {{"cause", committed.status().ToString()}});
      });
}

}  // namespace tsunagi::connector
