// People (アカウント) of this participant, and their sessions.
#include "cli/accounts.h"
#include "cli/password.h"

namespace tsunagi::cli {
namespace {

absl::StatusOr<Output> SignIn(Context& context, const AccountOptions& options) {
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  v1::SignInRequest request;
  request.set_account(options.id);
  ASSIGN_OR_RETURN(*request.mutable_password(), ReadPassword("password", options.password_file));
  ASSIGN_OR_RETURN(const auto response, accounts.session->SignIn(request));
  ASSIGN_OR_RETURN(const absl::Time expires, FromProto(response.expire_time()));
  RETURN_IF_ERROR(Profile(context.profile).SaveAccountSession({options.id, response.session(), expires}));
  return Said(
      {{"account", options.id}, {"role", WordOf(response.role())}, {"until", Minute(response.expire_time())}},
      absl::StrCat(options.id, " is signed in as ", WordOf(response.role()), " until ",
                   Minute(response.expire_time())));
}

absl::StatusOr<Output> SignOut(Context& context, const AccountOptions&) {
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  const auto response = accounts.Call(&AccountService::Stub::SignOut, v1::SignOutRequest());
  // Over already is as good as ended.
  if (!response.ok() && !absl::IsUnauthenticated(response.status())) return response.status();
  RETURN_IF_ERROR(Profile(context.profile).RemoveAccountSession());
  return Said({{"signed_out", true}}, "signed out");
}

absl::StatusOr<Output> CreateAccount(Context& context, const AccountOptions& options) {
  auto request = New<v1::CreateAccountRequest>(context);
  request.set_display_name(options.name);
  request.set_role(options.role);
  ASSIGN_OR_RETURN(*request.mutable_password(),
                   ReadNewPassword("password of the account", options.password_file));
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  ASSIGN_OR_RETURN(const auto response, accounts.Call(&AccountService::Stub::CreateAccount, request));
  return Said(
      ToJson(response.account()),
      absl::StrCat("created account ", response.account().id(), " (", WordOf(response.account().role()),
                   ")\nnext: `tsunagi sign-in ", response.account().id(), "`"));
}

absl::StatusOr<Output> ListAccounts(Context& context, const AccountOptions&) {
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  Output output;
  output.json = {{"accounts", Json::array()}};
  Table table{{"account", "name", "role", "status", "created"}, {}};
  v1::ListAccountsRequest request;
  do {
    ASSIGN_OR_RETURN(const auto page, accounts.Call(&AccountService::Stub::ListAccounts, request));
    for (const v1::Account& account : page.accounts()) {
      output.json["accounts"].push_back(ToJson(account));
      table.rows.push_back({account.id(), account.display_name(), WordOf(account.role()),
                            account.disabled() ? "disabled" : "active", Minute(account.create_time())});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  output.Add(std::move(table));
  return output;
}

absl::StatusOr<Output> SetRole(Context& context, const AccountOptions& options) {
  auto request = New<v1::SetRoleRequest>(context);
  request.set_account(options.id);
  request.set_role(options.role);
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  RETURN_IF_ERROR(accounts.Call(&AccountService::Stub::SetRole, request).status());
  return Said({{"account", options.id}, {"role", WordOf(options.role)}},
              absl::StrCat(options.id, " is ", WordOf(options.role), "; its sessions have ended"));
}

absl::StatusOr<Output> Disable(Context& context, const AccountOptions& options) {
  auto request = New<v1::DisableAccountRequest>(context);
  request.set_account(options.id);
  request.set_erase_name(options.erase_name);
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  RETURN_IF_ERROR(accounts.Call(&AccountService::Stub::DisableAccount, request).status());
  return Said({{"account", options.id}, {"disabled", true}, {"name_erased", options.erase_name}},
              absl::StrCat(options.id, " is disabled", options.erase_name ? " and its name erased" : ""));
}

absl::StatusOr<Output> SetPassword(Context& context, const AccountOptions& options) {
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  auto request = New<v1::SetPasswordRequest>(context);
  request.set_account(options.id);
  const auto kept = Profile(context.profile).LoadAccountSession();
  if (kept && kept->account == options.id) {
    ASSIGN_OR_RETURN(*request.mutable_current_password(),
                     ReadPassword("current password", options.current_password_file));
  }
  ASSIGN_OR_RETURN(*request.mutable_password(), ReadNewPassword("new password", options.password_file));
  RETURN_IF_ERROR(accounts.Call(&AccountService::Stub::SetPassword, request).status());
  return Said({{"account", options.id}},
              absl::StrCat("the password of ", options.id, " is set; its sessions have ended"));
}

void AddPasswordFile(CLI::App& app, AccountOptions& options) {
  app.add_option("--password-file", options.password_file,
                 "file (mode 0600) with the password; asked for on the terminal without it");
}

}  // namespace

void AddAccountCommands(CLI::App& app, Command& command) {
  CLI::App& account =
      *app.add_subcommand("account", "people of this participant (administrators)")->require_subcommand(1);
  AddSub(account, "create", "create an account; the first one is an administrator's", command, CreateAccount,
         [](CLI::App& sub, AccountOptions& options) {
           sub.add_option("--name", options.name, "name of the person")->required();
           AddRole(sub, options, true);
           AddPasswordFile(sub, options);
         });
  AddSub(account, "list", "the accounts", command, ListAccounts);
  AddSub(account, "set-role", "set the role of an account", command, SetRole,
         [](CLI::App& sub, AccountOptions& options) {
           AddId(sub, options, "account");
           AddRole(sub, options, true);
         });
  AddSub(account, "disable", "disable an account for good", command, Disable,
         [](CLI::App& sub, AccountOptions& options) {
           AddId(sub, options, "account");
           sub.add_flag("--erase-name", options.erase_name, "erase the person's name as well");
         });
  AddSub(account, "password", "set the own password, or as an administrator another's", command, SetPassword,
         [](CLI::App& sub, AccountOptions& options) {
           AddId(sub, options, "account");
           AddPasswordFile(sub, options);
           sub.add_option("--current-password-file", options.current_password_file,
                          "file (mode 0600) with the own current password");
         });
  AddSub(app, "sign-in", "open a session of an account, kept in the profile", command, SignIn,
         [](CLI::App& sub, AccountOptions& options) {
           AddId(sub, options, "account");
           AddPasswordFile(sub, options);
         });
  AddSub(app, "sign-out", "end the session of the profile", command, SignOut);
}

}  // namespace tsunagi::cli
