// AccountService over the people of a participant.
#pragma once

#include <functional>
#include <type_traits>
#include <vector>

#include "identity/people/people.h"
#include "services/accounts/openid_sign_ins.h"
#include "services/rpc/guard.h"
#include "services/rpc/worker_pool.h"
#include "tsunagi/identity/v1/account_service.grpc.pb.h"

namespace tsunagi::people {

// Access rows of AccountService.
std::vector<rpc::AccessRow> AccountRows();

// Thread-safe.
class AccountService final : public v1::AccountService::CallbackService {
 public:
  // How many passwords are hashed at once, and how many calls wait for that: RESOURCE_EXHAUSTED beyond.
  static constexpr int kHashing = 2;
  static constexpr size_t kWaiting = 64;
  // How many calls ask the OpenID Connect provider at once, and how many wait for that.
  static constexpr int kAsking = 2;
  static constexpr size_t kWaitingToAsk = 16;

  // All must outlive the service and its calls. From now on `sessions` saves through this when they are used.
  AccountService(rpc::Guard& guard, People& people, SessionTable& sessions, OpenIdSignIns& openid);
  ~AccountService() override;

  grpc::ServerUnaryReactor* SignIn(grpc::CallbackServerContext* context, const v1::SignInRequest* request,
                                   v1::SignInResponse* response) override;
  grpc::ServerUnaryReactor* BeginOpenIdSignIn(grpc::CallbackServerContext* context,
                                              const v1::BeginOpenIdSignInRequest* request,
                                              v1::BeginOpenIdSignInResponse* response) override;
  grpc::ServerUnaryReactor* CompleteOpenIdSignIn(grpc::CallbackServerContext* context,
                                                 const v1::CompleteOpenIdSignInRequest* request,
                                                 v1::CompleteOpenIdSignInResponse* response) override;
  grpc::ServerUnaryReactor* SignOut(grpc::CallbackServerContext* context, const v1::SignOutRequest* request,
                                    v1::SignOutResponse* response) override;
  grpc::ServerUnaryReactor* CreateAccount(grpc::CallbackServerContext* context,
                                          const v1::CreateAccountRequest* request,
                                          v1::CreateAccountResponse* response) override;
  grpc::ServerUnaryReactor* SetPassword(grpc::CallbackServerContext* context,
                                        const v1::SetPasswordRequest* request,
                                        v1::SetPasswordResponse* response) override;
  grpc::ServerUnaryReactor* SetRole(grpc::CallbackServerContext* context, const v1::SetRoleRequest* request,
                                    v1::SetRoleResponse* response) override;
  grpc::ServerUnaryReactor* LinkAccount(grpc::CallbackServerContext* context,
                                        const v1::LinkAccountRequest* request,
                                        v1::LinkAccountResponse* response) override;
  grpc::ServerUnaryReactor* DisableAccount(grpc::CallbackServerContext* context,
                                           const v1::DisableAccountRequest* request,
                                           v1::DisableAccountResponse* response) override;
  grpc::ServerUnaryReactor* ListAccounts(grpc::CallbackServerContext* context,
                                         const v1::ListAccountsRequest* request,
                                         v1::ListAccountsResponse* response) override;
  grpc::ServerUnaryReactor* CreateClient(grpc::CallbackServerContext* context,
                                         const v1::CreateClientRequest* request,
                                         v1::CreateClientResponse* response) override;
  grpc::ServerUnaryReactor* RotateClientSecret(grpc::CallbackServerContext* context,
                                               const v1::RotateClientSecretRequest* request,
                                               v1::RotateClientSecretResponse* response) override;
  grpc::ServerUnaryReactor* DropClient(grpc::CallbackServerContext* context,
                                       const v1::DropClientRequest* request,
                                       v1::DropClientResponse* response) override;
  grpc::ServerUnaryReactor* ListClients(grpc::CallbackServerContext* context,
                                        const v1::ListClientsRequest* request,
                                        v1::ListClientsResponse* response) override;

 private:
  rpc::Guard& guard_;
  People& people_;
  SessionTable& sessions_;
  OpenIdSignIns& openid_;
  // Of its own: whoever guesses passwords takes no worker from others.
  rpc::WorkerPool hashing_{kHashing, kWaiting};
  // Of its own: a provider that does not answer keeps nobody from signing in with a password.
  rpc::WorkerPool asking_{kAsking, kWaitingToAsk};
};

}  // namespace tsunagi::people
