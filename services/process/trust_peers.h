// Directory and status list from other participants' processes, while the registrar cannot be reached. Whom
// one asks does not matter: the lists are signed and versioned.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/random.h"
#include "grpcpp/channel.h"
#include "identity/trust.h"
#include "services/process/trust_keeper.h"

namespace tsunagi::process {

// How many are asked at once.
inline constexpr size_t kMaxTrustPeers = 3;

// A process of a participant.
struct TrustPeer {
  std::string participant;  // label
  std::string process;
};

// Whom to ask: first another process of the own participant, then one process each of other participants,
// chosen anew each time. At most kMaxTrustPeers; neither `own`, nor the registrar, nor who is suspended.
std::vector<TrustPeer> ChooseTrustPeers(const identity::TrustView& view, const TrustPeer& own,
                                        Random& random);

using ChannelToPeer = std::function<absl::StatusOr<std::shared_ptr<grpc::Channel>>(const TrustPeer& peer)>;

// What one of them said.
struct TrustAnswer {
  TrustPeer peer;
  absl::StatusOr<identity::v1::GetTrustListsResponse> lists;  // nothing of it is verified
};

// Asks all of them at once for what is newer than `known`, for at most 3 s. Blocks.
std::vector<TrustAnswer> AskForTrustLists(const std::vector<TrustPeer>& peers,
                                          const ChannelToPeer& channel_to,
                                          const identity::v1::GetTrustListsRequest& known);

// The same, and gives `keeper` what they say. What does not verify is left out and logged. UNAVAILABLE when
// nobody answered. Blocks.
absl::Status AskTrustPeers(const std::vector<TrustPeer>& peers, const ChannelToPeer& channel_to,
                           const identity::TrustView& known, TrustKeeper& keeper);

}  // namespace tsunagi::process
