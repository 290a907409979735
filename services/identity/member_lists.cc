#include "services/identity/member_lists.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audit/epoch.h"
#include "core/audit/log_table.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/entries.h"
#include "services/rpc/channel.h"

namespace tsunagi::identity {
namespace {

using process::TrustAnswer;
using process::TrustPeer;

constexpr size_t kMaxFileBytes = 64 << 10;

std::string NameOf(const TrustPeer& peer) { return absl::StrCat(peer.participant, "/", peer.process); }

// Verified: an older one than another member's was verified before its version was looked at.
absl::Status Verified(const absl::Status& accepted) {
  return absl::IsAborted(accepted) ? absl::OkStatus() : accepted;
}

std::string Holds(absl::string_view what, uint64_t held, uint64_t own) {
  return absl::StrCat(what, " ", held, " (here ", own, ")");
}

void Shuffle(std::vector<TrustPeer>& peers, Random& random) {
  for (size_t i = peers.size(); i > 1; --i) {
    uint64_t number = 0;
    const std::string bytes = random.Bytes(sizeof(number));
    std::memcpy(&number, bytes.data(), sizeof(number));
    std::swap(peers[i - 1], peers[number % i]);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<MemberLists>> MemberLists::Open(const audit::Journal& journal,
                                                               const AuthorityInUse& authority,
                                                               const Clock& clock, Random& random,
                                                               std::string data_dir, std::string federation) {
  ASSIGN_OR_RETURN(const ListVersions start, LoadVersions(journal.store()));
  std::unique_ptr<MemberLists> lists(
      new MemberLists(journal, authority, clock, random, std::move(data_dir), std::move(federation), start));
  ASSIGN_OR_RETURN(lists->checkpoint_,
                   audit::OpenCheckpoint(journal.LatestCheckpoint(), journal.origin(), journal.log_key()));
  ASSIGN_OR_RETURN(const internal::v1::StoredAuthority stored, LoadStoredAuthority(journal.store()));
  if (stored.has_bundle()) RETURN_IF_ERROR(lists->trust_.RestoreBundle(stored.bundle()));
  return lists;
}

MemberLists::MemberLists(const audit::Journal& journal, const AuthorityInUse& authority, const Clock& clock,
                         Random& random, std::string data_dir, std::string federation, ListVersions start)
    : journal_(journal),
      authority_(authority),
      clock_(clock),
      random_(random),
      data_dir_(std::move(data_dir)),
      federation_(std::move(federation)),
      start_(start),
      started_(clock.Now()),
      current_(start),
      trust_(authority.Get()->root.certificate, federation_, clock) {}

absl::Status MemberLists::Look() {
  ASSIGN_OR_RETURN(const std::vector<TrustPeer> peers, Peers());
  asked_ = peers.size();
  answered_.clear();
  if (peers.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(current_, LoadVersions(journal_.store()));
  ASSIGN_OR_RETURN(const process::ChannelToPeer channel_to, Channels());
  v1::GetTrustListsRequest known;
  known.set_known_status(start_.status);
  known.set_known_directory(start_.directory);
  known.set_known_bundle(start_.bundle);
  for (const TrustAnswer& answer : process::AskForTrustLists(peers, channel_to, known)) {
    const absl::StatusOr<std::vector<std::string>> newer =
        answer.lists.ok() ? Compare(*answer.lists) : answer.lists.status();
    if (!newer.ok()) {
      log::Warning("a member's process did not say what it holds",
                   {{"process", NameOf(answer.peer)}, {"reason", std::string(newer.status().message())}});
      continue;
    }
    answered_.push_back(NameOf(answer.peer));
    for (const std::string& one : *newer) {
      newer_.push_back(absl::StrCat("`", NameOf(answer.peer), "` holds ", one));
    }
  }
  return absl::OkStatus();
}

// Every process of every member that is not suspended.
absl::StatusOr<std::vector<TrustPeer>> MemberLists::Peers() {
  std::vector<TrustPeer> peers;
  addresses_.clear();
  absl::Status broken;
  RETURN_IF_ERROR(journal_.store().Scan(store::Table::kState, EntryPrefix(), "",
                                        [&](absl::string_view, absl::string_view value) {
                                          StoredParticipant entry;
                                          broken = Decode(value, "stored participant", entry);
                                          const v1::Participant& participant = entry.participant();
                                          if (entry.suspended() || participant.label() == kRegistrarLabel)
                                            return broken.ok();
                                          for (const v1::Endpoint& endpoint : participant.endpoints()) {
                                            peers.push_back({participant.label(), endpoint.process()});
                                            addresses_[NameOf(peers.back())] = endpoint.address();
                                          }
                                          return broken.ok();
                                        }));
  RETURN_IF_ERROR(broken);
  Shuffle(peers, random_);
  if (peers.size() > kMaxAsked) peers.resize(kMaxAsked);
  return peers;
}

absl::StatusOr<process::ChannelToPeer> MemberLists::Channels() const {
  const auto read = [&](absl::string_view name) {
    return ReadFile(absl::StrCat(data_dir_, "/", name), kMaxFileBytes);
  };
  ASSIGN_OR_RETURN(const std::string key, read("tls.key"));
  ASSIGN_OR_RETURN(const std::string certificate, read("tls.crt"));
  ASSIGN_OR_RETURN(const std::string token, read("token"));
  // Roots alone: which issuing CAs count may have changed since the copy.
  return process::ChannelToPeer([this, key, certificate, token, roots = trust_.RootsPem()](
                                    const TrustPeer& peer) -> absl::StatusOr<std::shared_ptr<grpc::Channel>> {
    return rpc::NewChannel(addresses_.at(NameOf(peer)),
                           ProcessDnsName(peer.process, peer.participant, federation_), key, certificate,
                           roots, token);
  });
}

absl::StatusOr<std::vector<std::string>> MemberLists::Compare(const v1::GetTrustListsResponse& lists) {
  std::vector<std::string> newer;
  // The bundle first: it may say who signs the other two.
  if (lists.has_bundle()) RETURN_IF_ERROR(CompareBundle(lists.bundle(), newer));
  if (lists.has_directory()) RETURN_IF_ERROR(CompareDirectory(lists.directory(), newer));
  if (lists.has_status_list()) RETURN_IF_ERROR(CompareStatus(lists.status_list(), newer));
  if (!lists.registrar_checkpoint().empty()) {
    RETURN_IF_ERROR(CompareCheckpoint(lists.registrar_checkpoint(), newer));
  }
  return newer;
}

bool MemberLists::IsNewer(uint64_t version, absl::Time issued_at, uint64_t start, uint64_t current) const {
  return version > current || (version > start && issued_at < started_);
}

absl::Status MemberLists::CompareBundle(const v1::SignedTrustBundle& bundle,
                                        std::vector<std::string>& newer) {
  RETURN_IF_ERROR(Verified(trust_.AcceptBundle(bundle)));
  v1::TrustBundle listed;
  RETURN_IF_ERROR(Decode(bundle.bundle(), "trust bundle", listed));
  ASSIGN_OR_RETURN(const absl::Time issued_at, FromProto(listed.issued_at()));
  if (!IsNewer(listed.version(), issued_at, start_.bundle, current_.bundle)) return absl::OkStatus();
  newer.push_back(Holds("trust bundle", listed.version(), start_.bundle));
  if (trust_.View()->bundle->version == listed.version()) bundle_ = bundle;
  return absl::OkStatus();
}

absl::Status MemberLists::CompareDirectory(const v1::SignedDirectory& directory,
                                           std::vector<std::string>& newer) {
  RETURN_IF_ERROR(Verified(trust_.AcceptDirectory(directory)));
  v1::Directory listed;
  RETURN_IF_ERROR(Decode(directory.directory().payload(), "directory", listed));
  ASSIGN_OR_RETURN(const absl::Time issued_at, FromProto(listed.issued_at()));
  if (!IsNewer(listed.version(), issued_at, start_.directory, current_.directory)) return absl::OkStatus();
  newer.push_back(Holds("directory", listed.version(), start_.directory));
  if (trust_.View()->directory_version == listed.version()) directory_ = directory;
  return absl::OkStatus();
}

absl::Status MemberLists::CompareStatus(const v1::SignedStatusList& status_list,
                                        std::vector<std::string>& newer) {
  RETURN_IF_ERROR(Verified(trust_.AcceptStatusList(status_list)));
  v1::StatusList listed;
  RETURN_IF_ERROR(Decode(status_list.status_list().payload(), "status list", listed));
  ASSIGN_OR_RETURN(const absl::Time issued_at, FromProto(listed.issued_at()));
  if (!IsNewer(listed.version(), issued_at, start_.status, current_.status)) return absl::OkStatus();
  newer.push_back(Holds("status list", listed.version(), start_.status));
  if (trust_.View()->status_version == listed.version()) status_list_ = status_list;
  return absl::OkStatus();
}

// A checkpoint of this epoch is known when the log has that tree; of a later one never.
absl::Status MemberLists::CompareCheckpoint(const std::string& note, std::vector<std::string>& newer) {
  ASSIGN_OR_RETURN(const audit::LogEpoch own, audit::ParseEpochOrigin(journal_.origin()));
  ASSIGN_OR_RETURN(const audit::LogEpoch held, audit::ParseEpochOrigin(audit::ClaimedOrigin(note)));
  if (held.log != own.log) return absl::DataLossError("the checkpoint is of another log");
  ASSIGN_OR_RETURN(const audit::Checkpoint checkpoint,
                   audit::OpenCheckpoint(note, audit::EpochOrigin(held.log, held.epoch), journal_.log_key()));
  if (held.epoch < own.epoch) return absl::OkStatus();
  const store::Store& store = journal_.store();
  if (held.epoch == own.epoch && checkpoint.size <= journal_.Size()) {
    ASSIGN_OR_RETURN(const audit::Digest root, audit::RootFrom(checkpoint.size, [&](audit::NodeId id) {
                       return audit::ReadNode(store, id);
                     }));
    if (root == checkpoint.root) return absl::OkStatus();
  }
  newer.push_back(absl::StrCat("a checkpoint of ", checkpoint.size, " leaves of log `", checkpoint.origin,
                               "`, whose history is another one here"));
  ASSIGN_OR_RETURN(const audit::LogEpoch kept, audit::ParseEpochOrigin(checkpoint_.origin));
  const bool further =
      held.epoch > kept.epoch || (held.epoch == kept.epoch && checkpoint.size > checkpoint_.size);
  if (further) checkpoint_ = checkpoint;
  return absl::OkStatus();
}

}  // namespace tsunagi::identity
