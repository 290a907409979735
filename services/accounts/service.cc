#include "services/accounts/service.h"

#include <utility>

#include "core/base/log.h"
#include "services/rpc/reply.h"

namespace tsunagi::people {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

std::vector<rpc::AccessRow> AccountRows() {
  using rpc::Who;
  return {
      {"/tsunagi.identity.v1.AccountService/SignIn", Who::kOwnOperator, "", kNoRole},
      {"/tsunagi.identity.v1.AccountService/BeginOpenIdSignIn", Who::kOwnOperator, "", kNoRole},
      {"/tsunagi.identity.v1.AccountService/CompleteOpenIdSignIn", Who::kOwnOperator, "", kNoRole},
      {"/tsunagi.identity.v1.AccountService/SignOut", Who::kOwnOperator, "", kViewer},
      {"/tsunagi.identity.v1.AccountService/CreateAccount", Who::kOwnOperator, "", kAdministrator},
      {"/tsunagi.identity.v1.AccountService/SetPassword", Who::kOwnOperator, "", kViewer},
      {"/tsunagi.identity.v1.AccountService/SetRole", Who::kOwnOperator, "", kAdministrator},
      {"/tsunagi.identity.v1.AccountService/LinkAccount", Who::kOwnOperator, "", kAdministrator},
      {"/tsunagi.identity.v1.AccountService/DisableAccount", Who::kOwnOperator, "", kAdministrator},
      {"/tsunagi.identity.v1.AccountService/ListAccounts", Who::kOwnOperator, "", kAdministrator},
      {"/tsunagi.identity.v1.AccountService/CreateClient", Who::kOwnOperator, "", kAdministrator},
      {"/tsunagi.identity.v1.AccountService/RotateClientSecret", Who::kOwnOperator, "", kAdministrator},
      {"/tsunagi.identity.v1.AccountService/DropClient", Who::kOwnOperator, "", kAdministrator},
      {"/tsunagi.identity.v1.AccountService/ListClients", Who::kOwnOperator, "", kAdministrator},
  };
}

AccountService::AccountService(rpc::Guard& guard, People& people, SessionTable& sessions,
                               OpenIdSignIns& openid)
    : guard_(guard), people_(people), sessions_(sessions), openid_(openid) {
  sessions_.OnUnsaved([this] {
    // Full, it is tried again with the next use.
    hashing_
        .Run([this] {
          const absl::Status saved = people_.SaveUses();
          if (!saved.ok()) log::Warning("saving sessions failed", {{"reason", std::string(saved.message())}});
        })
        .IgnoreError();
  });
}

AccountService::~AccountService() { sessions_.OnUnsaved(nullptr); }

ServerUnaryReactor* AccountService::SignIn(CallbackServerContext* context, const v1::SignInRequest* request,
                                           v1::SignInResponse* response) {
  return guard_.Serve(context, rpc::OnPool(hashing_, response, [this, request](const Caller& caller) {
                        return people_.sign_ins().SignIn(caller, *request);
                      }));
}

ServerUnaryReactor* AccountService::BeginOpenIdSignIn(CallbackServerContext* context,
                                                      const v1::BeginOpenIdSignInRequest* request,
                                                      v1::BeginOpenIdSignInResponse* response) {
  return guard_.Serve(context, rpc::OnPool(asking_, response, [this, request](const Caller& caller) {
                        return openid_.Begin(caller, *request);
                      }));
}

ServerUnaryReactor* AccountService::CompleteOpenIdSignIn(CallbackServerContext* context,
                                                         const v1::CompleteOpenIdSignInRequest* request,
                                                         v1::CompleteOpenIdSignInResponse* response) {
  return guard_.Serve(context, rpc::OnPool(asking_, response, [this, request](const Caller& caller) {
                        return openid_.Complete(caller, *request);
                      }));
}

ServerUnaryReactor* AccountService::SignOut(CallbackServerContext* context, const v1::SignOutRequest*,
                                            v1::SignOutResponse* response) {
  return guard_.Serve(context, rpc::OnPool(hashing_, response, [this](const Caller& caller) {
                        return people_.sign_ins().SignOut(caller);
                      }));
}

ServerUnaryReactor* AccountService::CreateAccount(CallbackServerContext* context,
                                                  const v1::CreateAccountRequest* request,
                                                  v1::CreateAccountResponse* response) {
  return guard_.Serve(context, rpc::OnPool(hashing_, response, [this, request](const Caller& caller) {
                        return people_.accounts().Create(caller, *request, openid_.issuer());
                      }));
}

ServerUnaryReactor* AccountService::SetPassword(CallbackServerContext* context,
                                                const v1::SetPasswordRequest* request,
                                                v1::SetPasswordResponse* response) {
  return guard_.Serve(context, rpc::OnPool(hashing_, response, [this, request](const Caller& caller) {
                        return people_.accounts().SetPassword(caller, *request);
                      }));
}

ServerUnaryReactor* AccountService::SetRole(CallbackServerContext* context, const v1::SetRoleRequest* request,
                                            v1::SetRoleResponse* response) {
  return guard_.Serve(context, rpc::OnPool(hashing_, response, [this, request](const Caller& caller) {
                        return people_.accounts().SetRole(caller, *request);
                      }));
}

ServerUnaryReactor* AccountService::LinkAccount(CallbackServerContext* context,
                                                const v1::LinkAccountRequest* request,
                                                v1::LinkAccountResponse* response) {
  return guard_.Serve(context, rpc::OnPool(hashing_, response, [this, request](const Caller& caller) {
                        return people_.accounts().Link(caller, *request, openid_.issuer());
                      }));
}

ServerUnaryReactor* AccountService::DisableAccount(CallbackServerContext* context,
                                                   const v1::DisableAccountRequest* request,
                                                   v1::DisableAccountResponse* response) {
  return guard_.Serve(context, rpc::OnPool(hashing_, response, [this, request](const Caller& caller) {
                        return people_.accounts().Disable(caller, *request);
                      }));
}

ServerUnaryReactor* AccountService::ListAccounts(CallbackServerContext* context,
                                                 const v1::ListAccountsRequest* request,
                                                 v1::ListAccountsResponse* response) {
  return guard_.Serve(context, rpc::OnPool(hashing_, response, [this, request](const Caller&) {
                        return people_.accounts().List(*request);
                      }));
}

ServerUnaryReactor* AccountService::CreateClient(CallbackServerContext* context,
                                                 const v1::CreateClientRequest* request,
                                                 v1::CreateClientResponse* response) {
  return guard_.Serve(context, rpc::OnPool(hashing_, response, [this, request](const Caller& caller) {
                        return people_.clients().Create(caller, *request);
                      }));
}

ServerUnaryReactor* AccountService::RotateClientSecret(CallbackServerContext* context,
                                                       const v1::RotateClientSecretRequest* request,
                                                       v1::RotateClientSecretResponse* response) {
  return guard_.Serve(context, rpc::OnPool(hashing_, response, [this, request](const Caller& caller) {
                        return people_.clients().Rotate(caller, *request);
                      }));
}

ServerUnaryReactor* AccountService::DropClient(CallbackServerContext* context,
                                               const v1::DropClientRequest* request,
                                               v1::DropClientResponse* response) {
  return guard_.Serve(context, rpc::OnPool(hashing_, response, [this, request](const Caller& caller) {
                        return people_.clients().Drop(caller, *request);
                      }));
}

ServerUnaryReactor* AccountService::ListClients(CallbackServerContext* context,
                                                const v1::ListClientsRequest* request,
                                                v1::ListClientsResponse* response) {
  return guard_.Serve(context, rpc::OnPool(hashing_, response, [this, request](const Caller&) {
                        return people_.clients().List(*request);
                      }));
}

}  // namespace tsunagi::people
