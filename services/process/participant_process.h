// What every process of a participant has: keys, certificate, token, trust, store, journal, channels to
// others.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audit/journal.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/crypto/key.h"
#include "grpcpp/channel.h"
#include "identity/token.h"
#include "identity/trust.h"
#include "services/rpc/guard.h"
#include "services/rpc/server.h"
#include "services/rpc/worker_pool.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::process {

// Start: load or enrol (EST), get a token, fetch directory and status list (or read the kept ones when the
// registrar is away), open store and journal, list keys and endpoint. Background threads renew certificate
// (at half life), token, directory and status list, and take checkpoints to be cosigned.
class ParticipantProcess {
 public:
  // `config` is as LoadConfig gives it. `process` is the name in certificates: node, connector, catalog,
  // passport. `rows` are the access rows of all services that Serve will get; those of the operations
  // and trust services are added. Blocks SIGTERM and SIGINT for Serve, so call it before any thread starts.
  static absl::StatusOr<std::unique_ptr<ParticipantProcess>> Start(const internal::v1::NodeConfig& config,
                                                                   const std::string& process,
                                                                   std::vector<rpc::AccessRow> rows);
  virtual ~ParticipantProcess() = default;

  virtual const Clock& clock() const = 0;
  virtual Random& random() = 0;
  virtual audit::Journal& journal() = 0;
  virtual const identity::TrustStore& trust() const = 0;
  // This participant's DID and label.
  virtual const std::string& did() const = 0;
  virtual const std::string& label() const = 0;
  // The participant's signing key (ES256), shared by its processes.
  virtual const crypto::PrivateKey& signing_key() const = 0;
  // The node's seal key, shared by its processes: HMAC key of sealed Grants.
  virtual const std::string& seal_key() const = 0;
  // Key of look-up hashes and request digests; never leaves the node. Derived per purpose by HMAC.
  virtual const std::string& node_key() const = 0;
  // For blocking work of this participant: it may wait for other nodes.
  virtual rpc::WorkerPool& workers() = 0;
  // For blocking work that other participants ask for. Its jobs wait for the journal alone, so that nodes
  // that wait for each other always get on; a flood of others leaves workers() to this participant.
  virtual rpc::WorkerPool& inbound() = 0;
  // What services serve behind.
  virtual rpc::Guard& guard() = 0;
  // Sessions of this participant's people and apps, as the guard sees them: filled by people::People in the
  // process that keeps the accounts (node or connector), followed through session_file() by the others.
  virtual people::SessionTable& sessions() = 0;
  virtual const std::string& session_file() const = 0;

  // A channel to a process of a participant, by DID or label, authenticated as that participant. NOT_FOUND
  // when it is not listed or lists no such endpoint. Renewed behind the scenes; ask for it at each call.
  virtual absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelTo(absl::string_view participant,
                                                                   absl::string_view process) = 0;
  virtual absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelToRegistrar() = 0;

  // Runs the services (and the operations and trust services) behind the Guard until SIGTERM, SIGINT or Stop,
  // then drains for at most 10 s. Writes <data_dir>/listen and lists keys and endpoint at the registrar.
  // Called once; the services must outlive the call, not the process.
  virtual absl::Status Serve(const std::vector<grpc::Service*>& services) = 0;
  // Ends Serve. Thread-safe.
  virtual void Stop() = 0;

 protected:
  ParticipantProcess() = default;
};

}  // namespace tsunagi::process
