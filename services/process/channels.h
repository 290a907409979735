// Channels to the processes of other participants, made anew when certificate, token or trust bundle change.
#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/mutex.h"
#include "grpcpp/channel.h"
#include "identity/trust.h"
#include "services/process/credentials.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::process {

// Thread-safe. Channels that were handed out live as long as their calls.
class Channels {
 public:
  // `credentials` and `trust` must outlive this object.
  Channels(const internal::v1::NodeConfig& config, const Credentials& credentials,
           const identity::TrustStore& trust)
      : config_(config), credentials_(credentials), trust_(trust) {}

  // To `process` of a participant by DID or label; to its `node` when it lists no such process of its own.
  // NOT_FOUND when it is not listed or lists neither, PERMISSION_DENIED when it is suspended.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> To(absl::string_view participant, absl::string_view process);
  std::shared_ptr<grpc::Channel> ToRegistrar();

 private:
  // The configured address of a process of our own participant; empty when there is none.
  std::string OwnAddress(absl::string_view label, absl::string_view process) const;
  std::shared_ptr<grpc::Channel> Get(const std::string& address, const std::string& expected_name);

  const internal::v1::NodeConfig config_;
  const Credentials& credentials_;
  const identity::TrustStore& trust_;
  Mutex mutex_;
  std::shared_ptr<const Identity> identity_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const identity::Bundle> bundle_ ABSL_GUARDED_BY(mutex_);
  // By address and name.
  absl::flat_hash_map<std::string, std::shared_ptr<grpc::Channel>> channels_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::process
