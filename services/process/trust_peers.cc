#include "services/process/trust_peers.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <latch>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "grpcpp/client_context.h"
#include "identity/names.h"
#include "services/rpc/status.h"
#include "tsunagi/identity/v1/trust_service.grpc.pb.h"

namespace tsunagi::process {
namespace {

using identity::v1::GetTrustListsRequest;
using identity::v1::GetTrustListsResponse;
using identity::v1::TrustService;

constexpr std::chrono::seconds kDeadline{3};

// An index below `count`, which is not 0.
size_t Pick(size_t count, Random& random) {
  uint64_t number = 0;
  const std::string bytes = random.Bytes(sizeof(number));
  std::memcpy(&number, bytes.data(), sizeof(number));
  return static_cast<size_t>(number % count);
}

std::vector<std::string> ProcessesOf(const identity::v1::Participant& participant, const TrustPeer& own) {
  std::vector<std::string> processes;
  for (const identity::v1::Endpoint& endpoint : participant.endpoints()) {
    const bool itself = participant.label() == own.participant && endpoint.process() == own.process;
    if (!itself) processes.push_back(endpoint.process());
  }
  return processes;
}

// One of the participant's processes; none when it lists no other than `own`.
void AddOne(const identity::v1::Participant& participant, const TrustPeer& own, Random& random,
            std::vector<TrustPeer>& chosen) {
  const std::vector<std::string> processes = ProcessesOf(participant, own);
  if (processes.empty()) return;
  chosen.push_back({participant.label(), processes[Pick(processes.size(), random)]});
}

// Those that can be asked beside the own participant, in an order that does not depend on the table's.
std::vector<std::string> OthersIn(const identity::TrustView& view, const TrustPeer& own) {
  std::vector<std::string> labels;
  for (const auto& [label, party] : view.by_label) {
    const identity::v1::Participant& participant = party->participant;
    if (label == own.participant || label == identity::kRegistrarLabel) continue;
    if (participant.endpoints().empty() || view.IsSuspended(participant.did())) continue;
    labels.push_back(label);
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

// A call to one peer. It stays where it is until it has ended.
struct Question {
  std::unique_ptr<TrustService::Stub> stub;
  grpc::ClientContext context;
  GetTrustListsRequest request;
  GetTrustListsResponse response;
  absl::Status status;
};

std::unique_ptr<Question> NewQuestion(const absl::StatusOr<std::shared_ptr<grpc::Channel>>& channel,
                                      const GetTrustListsRequest& known) {
  auto question = std::make_unique<Question>();
  question->status = channel.status();
  question->request = known;
  question->context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  if (channel.ok()) question->stub = TrustService::NewStub(*channel);
  return question;
}

void AskAll(const std::vector<std::unique_ptr<Question>>& questions) {
  // Shared: who counts last may still be at it when this has gone on.
  const auto asked = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(questions.size()));
  for (const std::unique_ptr<Question>& question : questions) {
    if (!question->status.ok()) {
      asked->count_down();
      continue;
    }
    question->stub->async()->GetTrustLists(&question->context, &question->request, &question->response,
                                           [asked, one = question.get()](const grpc::Status& status) {
                                             one->status = rpc::FromGrpcStatus(status);
                                             asked->count_down();
                                           });
  }
  asked->wait();
}

// A list that another one has overtaken meanwhile is none that does not verify.
void LogRefusal(const TrustPeer& peer, absl::string_view list, const absl::Status& status) {
  if (status.ok() || absl::IsAborted(status)) return;
  log::Warning("a list that another process passed on was not taken over",
               {{"participant", peer.participant},
                {"process", peer.process},
                {"list", std::string(list)},
                {"reason", std::string(status.message())}});
}

}  // namespace

std::vector<TrustPeer> ChooseTrustPeers(const identity::TrustView& view, const TrustPeer& own,
                                        Random& random) {
  std::vector<TrustPeer> chosen;
  if (const auto self = view.by_label.find(own.participant); self != view.by_label.end()) {
    AddOne(self->second->participant, own, random, chosen);
  }
  std::vector<std::string> others = OthersIn(view, own);
  while (chosen.size() < kMaxTrustPeers && !others.empty()) {
    std::swap(others[Pick(others.size(), random)], others.back());
    AddOne(view.by_label.at(others.back())->participant, own, random, chosen);
    others.pop_back();
  }
  return chosen;
}

std::vector<TrustAnswer> AskForTrustLists(const std::vector<TrustPeer>& peers,
                                          const ChannelToPeer& channel_to,
                                          const GetTrustListsRequest& known) {
  std::vector<std::unique_ptr<Question>> questions;
  questions.reserve(peers.size());
  for (const TrustPeer& peer : peers) questions.push_back(NewQuestion(channel_to(peer), known));
  AskAll(questions);

  std::vector<TrustAnswer> answers;
  answers.reserve(peers.size());
  for (size_t i = 0; i < questions.size(); ++i) {
    Question& question = *questions[i];
    if (question.status.ok()) {
      answers.push_back({peers[i], std::move(question.response)});
    } else {
      answers.push_back({peers[i], question.status});
    }
  }
  return answers;
}

absl::Status AskTrustPeers(const std::vector<TrustPeer>& peers, const ChannelToPeer& channel_to,
                           const identity::TrustView& known, TrustKeeper& keeper) {
  GetTrustListsRequest request;
  request.set_known_directory(known.directory_version);
  request.set_known_status(known.status_version);
  request.set_known_bundle(known.bundle->version);
  bool answered = false;
  absl::Status first_failure;
  for (const TrustAnswer& answer : AskForTrustLists(peers, channel_to, request)) {
    first_failure.Update(answer.lists.status());
    if (!answer.lists.ok()) continue;
    answered = true;
    const GetTrustListsResponse& lists = *answer.lists;
    // The bundle first: it may say who signs the other two.
    if (lists.has_bundle()) LogRefusal(answer.peer, "bundle", keeper.TakeBundle(lists.bundle()).status());
    if (lists.has_status_list()) {
      LogRefusal(answer.peer, "status", keeper.TakeStatusList(lists.status_list()));
    }
    if (lists.has_directory()) LogRefusal(answer.peer, "directory", keeper.TakeDirectory(lists.directory()));
  }
  if (answered) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("none of ", peers.size(), " other processes answered: ", first_failure.message()));
}

}  // namespace tsunagi::process
