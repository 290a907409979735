#include "bench/rotation.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "bench/guarded_echo.h"
#include "bench/node.h"
#include "bench/own_registrar.h"
#include "core/base/bytes.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "grpcpp/client_context.h"
#include "services/rpc/status.h"

namespace tsunagi::bench {
namespace {

constexpr char kServer[] = "rotating-server";
// Past half of a certificate's life, and past the time that a token is used.
constexpr absl::Duration kPastHalfLife = absl::Hours(4 * 24);
constexpr absl::Duration kPastToken = absl::Minutes(6);
// Past the minute in which a new token key is made known.
const absl::Duration kPastTokenLead = identity::Anchors::kTokenLead + absl::Seconds(1);
// gRPC reads the files of roots again every second, and tells nobody.
constexpr std::chrono::milliseconds kFilesReadAgain{2200};
constexpr absl::Duration kLimit = absl::Seconds(30);

// Calls the server by its listing, one call after the other on each thread, until it goes.
class Load {
 public:
  Load(BenchNode& client, int callers, RotationResult& result, Mutex& mutex)
      : client_(client), result_(result), mutex_(mutex) {
    for (int i = 0; i < callers; ++i) threads_.emplace_back([this] { Loop(); });
  }
  ~Load() {
    ending_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

 private:
  void Loop() {
    while (!ending_) {
      const absl::Status status = Call();
      MutexLock lock(mutex_);
      ++result_.calls;
      if (status.ok()) continue;
      if (result_.failed++ == 0) result_.first_failure = std::string(status.message());
    }
  }

  absl::Status Call() {
    ASSIGN_OR_RETURN(const auto channel, client_.channels().To(kServer, "node"));
    grpc::ClientContext context;
    EchoResponse response;
    return rpc::FromGrpcStatus(EchoService::NewStub(channel)->Echo(&context, EchoRequest(), &response));
  }

  BenchNode& client_;
  RotationResult& result_;
  Mutex& mutex_;
  std::atomic<bool> ending_ = false;
  std::vector<std::thread> threads_;
};

// Waits without a condition that anybody could tell.
void Wait(std::chrono::milliseconds time) {
  Mutex mutex;
  CondVar never;
  const auto end = std::chrono::steady_clock::now() + time;
  MutexLock lock(mutex);
  while (std::chrono::steady_clock::now() < end) {
    never.WaitFor(mutex, end - std::chrono::steady_clock::now());
  }
}

absl::Status WaitFor(absl::string_view what, const std::function<bool()>& condition) {
  const absl::Time limit = absl::Now() + kLimit;
  while (!condition()) {
    if (absl::Now() > limit) return absl::InternalError(absl::StrCat(what, ": not after 30 s"));
    Wait(std::chrono::milliseconds(20));
  }
  return absl::OkStatus();
}

// The federation that is measured, and the four kinds of rotation. Each fails unless it took effect.
class Rotations {
 public:
  static absl::StatusOr<std::unique_ptr<Rotations>> Start(const std::string& folder,
                                                          const RotationLoad& load) {
    std::unique_ptr<Rotations> made(new Rotations());
    // Every rotated token key puts the registrar's clock forward: at the end it is where the machine's is.
    ASSIGN_OR_RETURN(made->registrar_, OwnRegistrar::Start(folder, (load.each + 1) * kPastTokenLead));
    ASSIGN_OR_RETURN(made->server_, made->Join(kServer));
    RETURN_IF_ERROR(made->server_->List());
    ASSIGN_OR_RETURN(made->first_, made->Join("rotating-client"));
    ASSIGN_OR_RETURN(made->second_, made->Join("renewing-client"));
    // It must know the two that joined after it.
    RETURN_IF_ERROR(made->RefreshAll());
    for (BenchNode* const node : made->All()) node->Refresh();
    return made;
  }

  BenchNode& first() { return *first_; }
  BenchNode& second() { return *second_; }

  // A server's or a client's certificate, in turn.
  absl::Status RotateLeaf(int turn) {
    BenchNode& node = turn % 2 == 0 ? *server_ : *first_;
    const auto before = node.credentials().Current();
    node.renewal_clock().Shift(kPastHalfLife);
    const absl::Status renewed = node.credentials().Renew();
    node.renewal_clock().Shift(absl::ZeroDuration());
    RETURN_IF_ERROR(renewed);
    if (node.credentials().Current()->chain[0].sha256 != before->chain[0].sha256) return absl::OkStatus();
    return absl::InternalError("a certificate was not renewed");
  }

  absl::Status RotateTokenKey(int turn) {
    ASSIGN_OR_RETURN(const std::string key_id, registrar_->Rotate(identity::v1::AUTHORITY_KEY_TOKEN));
    RETURN_IF_ERROR(RefreshAll());
    registrar_->Pass(kPastTokenLead);
    second_->renewal_clock().Shift((turn + 1) * kPastToken);
    RETURN_IF_ERROR(second_->credentials().Renew());
    const std::vector<std::string> parts = absl::StrSplit(second_->credentials().Current()->token, '.');
    ASSIGN_OR_RETURN(const std::string header, FromBase64Url(parts[0]));
    if (absl::StrContains(header, absl::StrCat("\"", key_id, "\""))) return absl::OkStatus();
    return absl::InternalError("a token was not signed with the new key");
  }

  // Both CAs are made known, and known to all, before either is put into use.
  absl::Status RotateAuthorities() {
    RETURN_IF_ERROR(registrar_->Rotate(identity::v1::AUTHORITY_KEY_ISSUING).status());
    RETURN_IF_ERROR(registrar_->Rotate(identity::v1::AUTHORITY_KEY_ROOT).status());
    RETURN_IF_ERROR(RefreshAll());
    RETURN_IF_ERROR(WaitFor("the registrar's roots", [this] { return registrar_->Follows(IssuingKeyId()); }));
    Wait(kFilesReadAgain);
    ASSIGN_OR_RETURN(const std::string issuing,
                     registrar_->Rotate(identity::v1::AUTHORITY_KEY_ISSUING, true));
    RETURN_IF_ERROR(FollowAll());
    if (IssuingKeyId() != issuing) return absl::InternalError("an issuing CA was not put into use");
    ASSIGN_OR_RETURN(const std::string root, registrar_->Rotate(identity::v1::AUTHORITY_KEY_ROOT, true));
    RETURN_IF_ERROR(FollowAll());
    if (RootKeyId() != root) return absl::InternalError("a root was not put into use");
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<std::unique_ptr<BenchNode>> Join(const std::string& label) {
    ASSIGN_OR_RETURN(const auto config, registrar_->federation().Invite(label));
    return BenchNode::Start(config, EchoRows(), NewGuardedEcho);
  }
  std::vector<BenchNode*> All() { return {server_.get(), first_.get(), second_.get()}; }

  absl::Status RefreshAll() {
    for (BenchNode* const node : All()) RETURN_IF_ERROR(node->RefreshNow());
    return absl::OkStatus();
  }

  // Everybody has a certificate of the issuing CA that is in use, the registrar too.
  absl::Status FollowAll() {
    RETURN_IF_ERROR(RefreshAll());
    for (BenchNode* const node : All()) {
      const auto before = node->credentials().Current();
      RETURN_IF_ERROR(node->credentials().Renew());
      const auto after = node->credentials().Current();
      if (after->chain[1].sha256 == before->chain[1].sha256) {
        return absl::InternalError("a node has no certificate of the new issuing CA");
      }
      if (after->chain[1].sha256 != server_->credentials().Current()->chain[1].sha256) {
        return absl::InternalError("two nodes have certificates of different issuing CAs");
      }
    }
    return WaitFor("the registrar's own certificate", [this] { return registrar_->Follows(IssuingKeyId()); });
  }

  std::string IssuingKeyId() { return server_->credentials().Current()->chain[1].public_key.id(); }
  std::string RootKeyId() {
    const auto view = server_->trust().View();
    const std::string issuing = server_->credentials().Current()->chain[1].sha256;
    for (const identity::Anchor& anchor : view->bundle->anchors) {
      if (anchor.certificate.sha256 == issuing) {
        return view->bundle->anchors[anchor.root].certificate.public_key.id();
      }
    }
    return "";
  }

  std::unique_ptr<OwnRegistrar> registrar_;
  std::unique_ptr<BenchNode> server_;
  std::unique_ptr<BenchNode> first_;
  std::unique_ptr<BenchNode> second_;
};

}  // namespace

absl::StatusOr<RotationResult> MeasureRotation(const std::string& folder, const RotationLoad& load) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Rotations> rotations, Rotations::Start(folder, load));
  RotationResult result;
  Mutex mutex;
  {
    const Load certificates(rotations->first(), load.callers, result, mutex);
    const Load tokens(rotations->second(), load.callers, result, mutex);
    for (int turn = 0; turn < load.each; ++turn) {
      RETURN_IF_ERROR(rotations->RotateLeaf(turn));
      RETURN_IF_ERROR(rotations->RotateTokenKey(turn));
      RETURN_IF_ERROR(rotations->RotateAuthorities());
      result.rotations += 4;
    }
  }
  return result;
}

}  // namespace tsunagi::bench
