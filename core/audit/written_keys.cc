#include "core/audit/written_keys.h"

#include <utility>

namespace tsunagi::audit {
namespace {

size_t HashOf(absl::string_view key) { return absl::Hash<absl::string_view>()(key); }

}  // namespace

void WrittenKeys::Note(absl::string_view key, uint64_t version) {
  if (recent_.size() >= limit_) {
    floor_ = highest_of_older_;
    highest_of_older_ = highest_;
    older_ = std::move(recent_);
    recent_ = Generation();
  }
  highest_ = version;
  recent_[HashOf(key)] = version;
}

bool WrittenKeys::Stale(const std::vector<std::string>& keys, uint64_t version) const {
  if (keys.empty()) return false;
  if (version < floor_) return true;
  for (const std::string& key : keys) {
    const size_t hash = HashOf(key);
    for (const Generation* generation : {&recent_, &older_}) {
      const auto found = generation->find(hash);
      if (found != generation->end() && found->second > version) return true;
    }
  }
  return false;
}

}  // namespace tsunagi::audit
