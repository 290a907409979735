// An enrolled operator's connections to the own processes and to the registrar.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/profile.h"
#include "cli/trust.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "services/rpc/channel.h"
#include "services/rpc/status.h"
#include "tsunagi/identity/v1/account_service.pb.h"

namespace tsunagi::cli {

// For whom a session calls.
struct Acting {
  // Label or DID of a participant that gave this one a mandate (代行); empty: for itself.
  std::string party;
  // `host:port` of its node; empty: as the directory says.
  std::string node;
};

// Not thread-safe. Errors of calls carry the process that they were meant for.
class Session {
 public:
  // Loads the profile; renews the certificate when more than half of its life is over and the registrar is
  // there.
  static absl::StatusOr<std::unique_ptr<Session>> Open(Profile profile, absl::Duration timeout,
                                                       const Acting& acting = {});

  const internal::v1::OperatorConfig& config() const { return config_; }
  const Credentials& credentials() const { return credentials_; }

  // DID of the participant that commands act for: this one, or the one that gave it a mandate.
  absl::StatusOr<std::string> PartyDid();

  // The process that offers the passport, connector or catalog service here: `node`, or the separate one.
  std::string ProcessFor(absl::string_view service) const;
  // Every process of this participant that the configuration names.
  std::vector<std::string> OwnProcesses() const;

  // The process that keeps this participant's accounts.
  std::string AccountsProcess() const;

  // From now on this API client acts, instead of the account of the profile's session. It signs in with the
  // first call that needs it.
  void UseClient(std::string client, std::string secret);
  // Opens a session, without the one that is kept: that may be over.
  absl::StatusOr<identity::v1::SignInResponse> SignIn(const identity::v1::SignInRequest& request);
  // The same through the company's OpenID Connect provider, in two calls.
  absl::StatusOr<identity::v1::BeginOpenIdSignInResponse> BeginOpenIdSignIn(
      const identity::v1::BeginOpenIdSignInRequest& request);
  absl::StatusOr<identity::v1::CompleteOpenIdSignInResponse> CompleteOpenIdSignIn(
      const identity::v1::CompleteOpenIdSignInRequest& request);

  // Calls a method at a process of this participant (or of the one that it acts for), or at `registrar`; with
  // the session of whoever acts at processes of this participant.
  template <class Service, class Request, class Response>
  absl::StatusOr<Response> Call(absl::string_view process,
                                grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                      Response*),
                                const Request& request);

  // The listed participants, from the registrar, or as last seen while it is away.
  absl::StatusOr<identity::v1::ListParticipantsResponse> Participants();
  // The listed participants that match, from the registrar: see ListParticipantsRequest.
  absl::StatusOr<identity::v1::ListParticipantsResponse> FetchParticipants(const std::string& search,
                                                                           const std::string& role);
  // DID of a participant by DID or label. NOT_FOUND naming it.
  absl::StatusOr<std::string> FindDid(absl::string_view did_or_label);
  // Label for people, or the DID itself when it is not listed.
  std::string NameOf(absl::string_view did);
  absl::StatusOr<identity::v1::Participant> FindParticipant(absl::string_view did_or_label);

 private:
  Session(Profile profile, internal::v1::OperatorConfig config, Credentials credentials,
          absl::Duration timeout);

  void RenewCertificate();
  void RefreshBundle();
  // Whether roots were rolled since the bundle was kept: then channels are made anew.
  bool FollowRoots();
  absl::Status ActFor(const Acting& acting);
  absl::StatusOr<std::string> Token();
  absl::StatusOr<std::string> NewToken();
  absl::StatusOr<std::string> AddressOf(absl::string_view process) const;
  absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelTo(absl::string_view process);
  std::shared_ptr<grpc::Channel> NewChannel(const std::string& address, absl::string_view process,
                                            const std::string& token) const;
  absl::Status AtProcess(const grpc::Status& status, absl::string_view process) const;
  // What goes into the session header of calls to `process`; empty for none.
  absl::StatusOr<std::string> AccountToken(absl::string_view process);
  template <class Service, class Request, class Response>
  absl::StatusOr<Response> CallWith(const std::string& account_token, absl::string_view process,
                                    grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                          const Request&, Response*),
                                    const Request& request);

  Profile profile_;
  internal::v1::OperatorConfig config_;
  Credentials credentials_;
  identity::Bundle bundle_;
  absl::Duration timeout_;
  std::string client_;
  std::string client_secret_;
  std::string client_token_;
  absl::flat_hash_map<std::string, std::shared_ptr<grpc::Channel>> channels_;
  std::optional<identity::v1::ListParticipantsResponse> participants_;
  // Whom this participant acts for, with the endpoints at which that one is called.
  std::optional<identity::v1::Participant> grantor_;
};

template <class Service, class Request, class Response>
absl::StatusOr<Response> Session::Call(absl::string_view process,
                                       grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                             const Request&, Response*),
                                       const Request& request) {
  const absl::StatusOr<std::string> account_token = AccountToken(process);
  if (!account_token.ok()) return account_token.status();
  return CallWith<Service>(*account_token, process, method, request);
}

template <class Service, class Request, class Response>
absl::StatusOr<Response> Session::CallWith(const std::string& account_token, absl::string_view process,
                                           grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                                 const Request&, Response*),
                                           const Request& request) {
  while (true) {
    auto channel = ChannelTo(process);
    if (!channel.ok()) return channel.status();
    typename Service::Stub stub(*channel);
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout_));
    if (!account_token.empty()) context.AddMetadata(rpc::kSessionHeader, account_token);
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (status.ok()) return response;
    // A process that shows a root which this profile does not know yet looks like one that is away.
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE || !FollowRoots()) {
      return AtProcess(status, process);
    }
  }
}

}  // namespace tsunagi::cli
