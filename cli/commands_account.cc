// People (アカウント) of this participant, and their sessions.
#include "cli/accounts.h"
#include "cli/password.h"
#include "services/http/loopback.h"

namespace tsunagi::cli {
namespace {

// How long a person may take at the provider's pages; there the sign-in waits as long.
constexpr absl::Duration kAtProvider = absl::Minutes(10);

absl::StatusOr<Output> SignedIn(const Context& context, const std::string& account, const auto& response) {
  ASSIGN_OR_RETURN(const absl::Time expires, FromProto(response.expire_time()));
  RETURN_IF_ERROR(Profile(context.profile).SaveAccountSession({account, response.session(), expires}));
  return Said(
      {{"account", account}, {"role", WordOf(response.role())}, {"until", Minute(response.expire_time())}},
      absl::StrCat(account, " is signed in as ", WordOf(response.role()), " until ",
                   Minute(response.expire_time())));
}

// The browser brings code and state to a port of this machine; the node redeems them.
absl::StatusOr<Output> SignInWithOpenId(Context& context, const AccountOptions& options) {
  ASSIGN_OR_RETURN(const auto listener, http::LoopbackListener::Open(options.callback_port));
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  v1::BeginOpenIdSignInRequest begin;
  begin.set_redirect_port(listener->port());
  ASSIGN_OR_RETURN(const auto begun, accounts.session->BeginOpenIdSignIn(begin));
  context.progress << "open this page and sign in there:\n"
                   << begun.authorization_url() << "\n"
                   << std::flush;
  ASSIGN_OR_RETURN(http::Form brought, listener->Wait(begun.state(), kAtProvider));
  if (brought.contains("error")) {
    return absl::UnauthenticatedError(
        absl::StrCat("the provider did not sign the person in: `", brought["error"], "`"));
  }
  v1::CompleteOpenIdSignInRequest complete;
  complete.set_handle(begun.handle());
  complete.set_code(brought["code"]);
  complete.set_state(brought["state"]);
  complete.set_issuer(brought["iss"]);
  ASSIGN_OR_RETURN(const auto response, accounts.session->CompleteOpenIdSignIn(complete));
  return SignedIn(context, response.account(), response);
}

absl::StatusOr<Output> SignIn(Context& context, const AccountOptions& options) {
  if (options.openid) return SignInWithOpenId(context, options);
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  v1::SignInRequest request;
  request.set_account(options.id);
  ASSIGN_OR_RETURN(*request.mutable_password(), ReadPassword("password", options.password_file));
  ASSIGN_OR_RETURN(const auto response, accounts.session->SignIn(request));
  return SignedIn(context, options.id, response);
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
  request.set_openid_subject(options.subject);
  if (options.subject.empty() || !options.password_file.empty()) {
    ASSIGN_OR_RETURN(*request.mutable_password(),
                     ReadNewPassword("password of the account", options.password_file));
  }
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  ASSIGN_OR_RETURN(const auto response, accounts.Call(&AccountService::Stub::CreateAccount, request));
  return Said(ToJson(response.account()),
              absl::StrCat("created account ", response.account().id(), " (",
                           WordOf(response.account().role()), ")\nnext: `tsunagi sign-in ",
                           response.account().has_password() ? response.account().id() : "--openid", "`"));
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

absl::StatusOr<Output> Link(Context& context, const AccountOptions& options) {
  auto request = New<v1::LinkAccountRequest>(context);
  request.set_account(options.id);
  request.set_subject(options.subject);
  request.set_drop_password(options.drop_password);
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  RETURN_IF_ERROR(accounts.Call(&AccountService::Stub::LinkAccount, request).status());
  return Said({{"account", options.id}, {"linked", !options.subject.empty()}},
              absl::StrCat(options.id, options.subject.empty() ? " is linked to nobody" : " is linked",
                           "; its sessions have ended"));
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

void AddSubject(CLI::App& app, AccountOptions& options) {
  app.add_option(
         "--subject", options.subject,
         "whom the company's OpenID Connect provider names: value of `sub`, or of the configured claim")
      // A variable of a script that holds nothing must not end a link.
      ->check([](const std::string& subject) { return subject.empty() ? "expected a subject" : ""; });
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
           AddSubject(sub, options);
         });
  AddSub(account, "list", "the accounts", command, ListAccounts);
  AddSub(account, "set-role", "set the role of an account", command, SetRole,
         [](CLI::App& sub, AccountOptions& options) {
           AddId(sub, options, "account");
           AddRole(sub, options, true);
         });
  AddSub(account, "link", "link an account to a person at the OpenID Connect provider, or end that", command,
         Link, [](CLI::App& sub, AccountOptions& options) {
           AddId(sub, options, "account");
           CLI::App& how = *sub.add_option_group("link")->require_option(1);
           AddSubject(how, options);
           how.add_flag("--none")->description("end the link");
           sub.add_flag("--drop-password", options.drop_password,
                        "let the person in through the provider alone");
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
           CLI::App& who = *sub.add_option_group("who")->require_option(1);
           who.add_option("account", options.id, "id of the account");
           CLI::Option* openid =
               who.add_flag("--openid", options.openid, "through the company's OpenID Connect provider");
           AddPasswordFile(sub, options);
           sub.add_option("--callback-port", options.callback_port,
                          "port of 127.0.0.1 to which the browser comes back; a free one without it")
               ->check(CLI::Range(1, 65535))
               ->needs(openid);
         });
  AddSub(app, "sign-out", "end the session of the profile", command, SignOut);
}

}  // namespace tsunagi::cli
