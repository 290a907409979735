// The one place where access is enforced: which caller may call which method.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/caller.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "grpcpp/security/auth_metadata_processor.h"
#include "grpcpp/support/server_callback.h"
#include "identity/people/role.h"
#include "identity/people/session_table.h"
#include "identity/revoked_mandates.h"
#include "identity/token.h"
#include "identity/trust.h"
#include "services/rpc/call_counts.h"

namespace tsunagi::rpc {

// Who may call a method.
enum class Who {
  kCertificate,     // any active participant's certificate, no token: only the method that issues tokens
  kParticipant,     // any active participant with a token
  kAnyFederation,   // the same, and any active participant of a federation that is trusted
  kOwnOperator,     // process `operator` of the participant that runs this process
  kOwnProcess,      // another process of the participant that runs this process
  kOwnParticipant,  // operator or process of the participant that runs this process
};

// One row per RPC method.
struct AccessRow {
  absl::string_view method;  // `/tsunagi.connector.v1.ConnectorService/Release`
  Who who;
  absl::string_view process = "";  // for kOwnProcess: which one; any when empty
  // For the own operator, once an administrator account exists: the least role of its session; kNoRole asks
  // for none.
  people::Role role = people::kAdministrator;
  // For kOwnOperator and kOwnParticipant: lets the operator of another participant through that holds a
  // mandate of the own one in this scope (identity/mandates.h). The handler is served by ServeInScope. None
  // when empty.
  absl::string_view scope = "";
};

// The certificate of a connection, as the Guard reads it. The Guard's only identity input.
struct Peer {
  std::string federation;
  std::string label;
  std::string process;
  std::string certificate_sha256;
  absl::Time not_after;
};

// Reads the peer of a connection from its certificate (PEM): exactly one URI
// `spiffe://<federation>/participant/<label>/<process>`, exactly one DNS name, no CA. UNAUTHENTICATED
// otherwise.
absl::StatusOr<Peer> PeerFromCertificate(absl::string_view pem);

// The same, judged by the trust bundle at `at`: an issuing CA that counts signed the certificate, and
// `not_after` is the earlier end of the two. UNAUTHENTICATED otherwise.
absl::StatusOr<Peer> BelievedPeer(absl::string_view pem, const identity::Bundle& bundle, absl::Time at);

// Completes a call, exactly once, from any thread. The response must be filled before an OK.
using Finish = std::function<void(absl::Status)>;

struct GuardOptions {
  std::string own_label;
  std::string federation;
  // Beyond this age of the status list every call is refused.
  absl::Duration status_list_max_age = absl::Hours(24);
  // When a call that came without a deadline is cancelled.
  absl::Duration default_deadline = absl::Seconds(30);
  // What the own participant revoked before the directory says so; nothing when null.
  std::shared_ptr<const identity::RevokedMandates> revoked_mandates = nullptr;
};

// Decides on each call. Thread-safe.
//
// Used twice: as the AuthMetadataProcessor of the server's credentials, where a refusal reaches the client
// before the handler runs, and inside Serve, whose result says who calls. Identity never travels through
// AuthContext, whose properties leak between calls on one connection.
class Guard {
 public:
  // All but `options` and `rows` must outlive the guard. Without `sessions` the own operator's certificate
  // has every right.
  Guard(GuardOptions options, std::vector<AccessRow> rows, identity::TokenVerifier& tokens,
        const identity::TrustStore& trust, const Clock& clock, people::SessionTable* sessions = nullptr);

  // The decision, without side effects but that refusals are counted.
  //   UNIMPLEMENTED      the method has no row
  //   UNAUTHENTICATED    certificate, token or their binding is wrong or expired; no or several authorization
  //                      headers; no, several or a wrong session where one is needed
  //   PERMISSION_DENIED  known caller, wrong role, or suspended
  //   UNAVAILABLE        the status list, or the roster of the caller's federation, is older than the hard
  //   limit, or
  //                      which federations are trusted is not known here yet
  absl::StatusOr<Caller> Check(absl::string_view method,
                               const std::multimap<grpc::string_ref, grpc::string_ref>& metadata,
                               const grpc::AuthContext& connection);

  // Rows that have no method among `methods`, or methods without a row, as an error that stops start-up.
  absl::Status CheckComplete(const std::vector<std::string>& methods) const;

  // Runs `handler` with the caller; what it passes to Finish becomes the call's status. `handler` must not
  // block. The row was checked by the processor; this checks certificate, token, their binding and status
  // again. A call that came without a deadline is cancelled at the default one; `Finish` stays valid and the
  // response writable until it is called. A Finish that is dropped uncalled ends the call as INTERNAL.
  grpc::ServerUnaryReactor* Serve(grpc::CallbackServerContext* context,
                                  const std::function<void(const Caller&, Finish)>& handler);
  // The same for a row with this scope: the caller may act under a mandate, which it then names.
  // PERMISSION_DENIED when the mandate has ended since the row was checked.
  grpc::ServerUnaryReactor* ServeInScope(grpc::CallbackServerContext* context, absl::string_view scope,
                                         const std::function<void(const Caller&, Finish)>& handler);
  // The same for a row kCertificate: asks for no token.
  grpc::ServerUnaryReactor* ServeByCertificate(grpc::CallbackServerContext* context,
                                               const std::function<void(const Caller&, Finish)>& handler);

  // Who calls now, with token: for streams, at the start and before every chunk.
  absl::StatusOr<Caller> Authenticate(grpc::CallbackServerContext* context);

  // The processor for the server's credentials.
  std::shared_ptr<grpc::AuthMetadataProcessor> Processor();

  const CallCounts& counts() const { return counts_; }

 private:
  using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

  // Who called with this token over a certificate, as one view of the federation said. The next call asks the
  // clock and, when the view or the token is another, everything else again.
  struct Recognised {
    std::weak_ptr<const identity::TrustView> view;  // owns no old view
    std::string token;
    identity::TokenClaims claims;
    std::shared_ptr<const Caller::Identity> identity;
  };
  // A certificate that counts, and who called last with it; null before the first call.
  struct Known {
    std::shared_ptr<const Peer> peer;
    std::shared_ptr<const Recognised> last;
  };
  // By which trust bundles a peer was judged: the own one's version, and that of the federation trust.
  struct Basis {
    uint64_t bundle = 0;
    uint64_t federations = 0;
    // NOLINTNEXTLINE(modernize-use-nullptr): there is no pointer
    friend auto operator<=>(const Basis&, const Basis&) = default;
  };

  absl::StatusOr<Known> KnownPeer(absl::string_view pem, const identity::TrustView& view);
  void Remember(absl::string_view pem, std::shared_ptr<const Recognised> last);
  // By the bundle of the federation that the certificate names, and by no other.
  absl::StatusOr<Peer> Judge(absl::string_view pem, const identity::TrustView& view) const;
  absl::StatusOr<Caller> Identify(const Metadata& metadata, const grpc::AuthContext& connection,
                                  bool with_token);
  absl::StatusOr<std::shared_ptr<const Recognised>> Recognise(
      const std::shared_ptr<const identity::TrustView>& view, const Peer& peer, absl::string_view token);
  // The peer's participant and process. PERMISSION_DENIED when it is not listed, or suspended.
  absl::StatusOr<std::shared_ptr<const Caller::Identity>> IdentityOf(const Peer& peer,
                                                                     const identity::TrustView& view);
  // What the clock decides, for every call.
  absl::Status CheckNow(const Peer& peer, const identity::TrustView& view, absl::Time now);
  // The status; counted under `denial` unless OK.
  absl::Status Counted(Denial denial, absl::Status status);
  // A participant of a federation that is trusted.
  absl::StatusOr<Caller> IdentifyGuest(const Metadata& metadata, const Peer& peer,
                                       const identity::TrustView& view);
  // The roster of a federation that is trusted, unless it is too old.
  absl::Status CheckRoster(const identity::TrustedFederation& federation) const;
  // Gives the caller the mandate that lets it act in the scope, if it holds one.
  void TakeMandate(absl::string_view scope, Caller& caller) const;
  absl::Status CheckRow(const AccessRow& row, const Caller& caller) const;
  // Fills in the account of the own operator's session, if the call carries one.
  absl::Status ReadSession(const Metadata& metadata, Caller& caller);
  absl::Status CheckRole(const AccessRow& row, const Caller& caller);
  bool IsOwnOperator(const Caller& caller) const;
  grpc::ServerUnaryReactor* ServeCaller(grpc::CallbackServerContext* context,
                                        const absl::StatusOr<Caller>& caller,
                                        const std::function<void(const Caller&, Finish)>& handler);

  const GuardOptions options_;
  CallCounts counts_;
  absl::flat_hash_map<std::string, AccessRow> rows_;
  identity::TokenVerifier& tokens_;
  const identity::TrustStore& trust_;
  const Clock& clock_;
  people::SessionTable* const sessions_;
  Mutex mutex_;
  // By PEM, as these versions judge them; bounded.
  absl::flat_hash_map<std::string, Known> peers_ ABSL_GUARDED_BY(mutex_);
  Basis peers_basis_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::rpc
