// What members hold of what the registrar signed: more than its own store, when that was restored from an
// older copy (ADR 0017).
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/audit/checkpoint.h"
#include "core/audit/journal.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "identity/authority.h"
#include "identity/restore.h"
#include "identity/trust.h"
#include "services/process/trust_peers.h"

namespace tsunagi::identity {

// Compares with the store as it is when this object is made, before anything is signed. Not thread-safe.
class MemberLists {
 public:
  // At most that many processes are asked, chosen at random.
  static constexpr size_t kMaxAsked = 64;

  // `data_dir` holds the registrar's tls.key, tls.crt and token, with which it asks. All references must
  // outlive this object.
  static absl::StatusOr<std::unique_ptr<MemberLists>> Open(const audit::Journal& journal,
                                                           const AuthorityInUse& authority,
                                                           const Clock& clock, Random& random,
                                                           std::string data_dir, std::string federation);

  // Asks the members' processes that the store lists, for at most 3 s. Blocks.
  absl::Status Look();

  // Whether enough of them answered in one look: half, at most three. True when there is nobody to ask.
  bool Enough() const { return answered_.size() >= std::min<size_t>(3, (asked_ + 1) / 2); }
  // What they hold that the store has not; empty when that is nothing. For people.
  const std::vector<std::string>& newer() const { return newer_; }
  size_t asked() const { return asked_; }
  // `label/process` of those that answered with lists that verify.
  const std::vector<std::string>& answered() const { return answered_; }

  // Everything newer that verified.
  std::shared_ptr<const TrustView> View() const { return trust_.View(); }
  // As members have them; empty when the store has the newest.
  const v1::SignedTrustBundle& bundle() const { return bundle_; }
  const v1::SignedDirectory& directory() const { return directory_; }
  const v1::SignedStatusList& status_list() const { return status_list_; }
  // The largest checkpoint of the newest epoch of the registrar's log that somebody knows, members or the
  // store.
  const audit::Checkpoint& checkpoint() const { return checkpoint_; }

 private:
  MemberLists(const audit::Journal& journal, const AuthorityInUse& authority, const Clock& clock,
              Random& random, std::string data_dir, std::string federation, ListVersions start);

  absl::StatusOr<std::vector<process::TrustPeer>> Peers();
  absl::StatusOr<process::ChannelToPeer> Channels() const;
  // What of one answer is newer; an error when something in it does not verify.
  absl::StatusOr<std::vector<std::string>> Compare(const v1::GetTrustListsResponse& lists);
  absl::Status CompareBundle(const v1::SignedTrustBundle& bundle, std::vector<std::string>& newer);
  absl::Status CompareDirectory(const v1::SignedDirectory& directory, std::vector<std::string>& newer);
  absl::Status CompareStatus(const v1::SignedStatusList& status_list, std::vector<std::string>& newer);
  absl::Status CompareCheckpoint(const std::string& note, std::vector<std::string>& newer);
  // Whether a list of this version was signed neither by what the store shows nor since this object was made.
  bool IsNewer(uint64_t version, absl::Time issued_at, uint64_t start, uint64_t current) const;

  const audit::Journal& journal_;
  const AuthorityInUse& authority_;
  const Clock& clock_;
  Random& random_;
  const std::string data_dir_;
  const std::string federation_;
  const ListVersions start_;
  const absl::Time started_;
  ListVersions current_;
  TrustStore trust_;
  absl::flat_hash_map<std::string, std::string> addresses_;  // of the peers, by label/process
  size_t asked_ = 0;
  std::vector<std::string> answered_;
  std::vector<std::string> newer_;
  v1::SignedTrustBundle bundle_;
  v1::SignedDirectory directory_;
  v1::SignedStatusList status_list_;
  audit::Checkpoint checkpoint_;
};

}  // namespace tsunagi::identity
