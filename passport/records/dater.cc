#include "passport/records/dater.h"

#include <utility>
#include <vector>

#include "core/audit/checkpoint.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/store/key.h"
#include "identity/evidence_keys.h"
#include "passport/records/keys.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::passport {
namespace {

using store::Table;

constexpr size_t kBatchesPerCommit = 256;

struct Undated {
  uint64_t leaf_index = 0;
  std::string digest;
};

absl::StatusOr<std::vector<Undated>> ReadUndated(const store::Store& store, uint64_t size) {
  std::vector<Undated> undated;
  absl::Status damaged;
  RETURN_IF_ERROR(
      store.Scan(Table::kState, UndatedPrefix(), "", [&](absl::string_view key, absl::string_view digest) {
        store::KeyReader reader(key);
        damaged.Update(reader.Str().status());
        const absl::StatusOr<uint64_t> leaf_index =
            damaged.ok() ? reader.U64() : absl::StatusOr<uint64_t>(damaged);
        damaged.Update(leaf_index.status());
        if (!damaged.ok() || *leaf_index >= size) return false;
        undated.push_back({*leaf_index, std::string(digest)});
        return undated.size() < kBatchesPerCommit;
      }));
  RETURN_IF_ERROR(damaged);
  return undated;
}

absl::Status DateBatches(audit::Journal& journal, const std::vector<Undated>& undated,
                         const std::string& note) {
  audit::Commit commit;
  for (const Undated& entry : undated) {
    ASSIGN_OR_RETURN(const std::string bytes, journal.store().Get(Table::kState, BatchKey(entry.digest)));
    internal::v1::StoredBatch batch;
    if (!Decode(bytes, "batch", batch).ok()) return absl::DataLossError("the store holds a damaged batch");
    ASSIGN_OR_RETURN(const audit::v1::LogProof proof, journal.Prove(entry.leaf_index, note));
    batch.set_log_proof(Encode(proof));
    commit.writes.push_back(store::Put(Table::kState, BatchKey(entry.digest), Encode(batch)));
    commit.writes.push_back(store::Delete(Table::kState, UndatedKey(entry.leaf_index)));
  }
  return journal.SubmitAndWait(std::move(commit)).status();
}

}  // namespace

absl::StatusOr<uint64_t> Dater::OnCosigned(const std::string& note) {
  audit::Journal& journal = context_.journal;
  ASSIGN_OR_RETURN(const audit::Checkpoint checkpoint,
                   audit::OpenCheckpoint(note, journal.origin(), journal.log_key()));
  RETURN_IF_ERROR(identity::CosignedAt(*context_.trust.View(), context_.federation, note).status());
  uint64_t dated = 0;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<Undated> undated, ReadUndated(journal.store(), checkpoint.size));
    if (undated.empty()) return dated;
    RETURN_IF_ERROR(DateBatches(journal, undated, note));
    dated += undated.size();
  }
}

}  // namespace tsunagi::passport
