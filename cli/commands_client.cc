// Apps (APIクライアント) of this participant.
#include "absl/time/clock.h"
#include "cli/accounts.h"
#include "core/base/file.h"

namespace tsunagi::cli {
namespace {

// Shows a secret, or keeps it in a file that only its owner may access.
absl::Status HandOver(const std::string& secret, const std::string& file, Output& output) {
  if (file.empty()) {
    output.json["secret"] = secret;
    output.Line(absl::StrCat("secret (shown once): ", secret));
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(WriteFileAtomically(file, secret + "\n", 0600));
  output.json["secret_file"] = file;
  output.Line(absl::StrCat("its secret is in ", file));
  return absl::OkStatus();
}

absl::StatusOr<Output> CreateClient(Context& context, const AccountOptions& options) {
  auto request = New<v1::CreateClientRequest>(context);
  request.set_display_name(options.name);
  request.set_role(options.role);
  if (options.days != 0) {
    *request.mutable_expire_time() =
        ToProto(absl::Now() + absl::Hours(24 * static_cast<int64_t>(options.days)));
  }
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  ASSIGN_OR_RETURN(const auto response, accounts.Call(&AccountService::Stub::CreateClient, request));
  Output output = Said(ToJson(response.client()), absl::StrCat("created API client ", response.client().id(),
                                                               " (", WordOf(response.client().role()), ")"));
  RETURN_IF_ERROR(HandOver(response.secret(), options.new_secret_file, output));
  return output;
}

absl::StatusOr<Output> RotateSecret(Context& context, const AccountOptions& options) {
  auto request = New<v1::RotateClientSecretRequest>(context);
  request.set_client(options.id);
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  ASSIGN_OR_RETURN(const auto response, accounts.Call(&AccountService::Stub::RotateClientSecret, request));
  Output output = Said(
      {{"client", options.id}, {"old_secret_until", Minute(response.old_secret_until())}},
      absl::StrCat("the old secret of ", options.id, " counts until ", Minute(response.old_secret_until())));
  RETURN_IF_ERROR(HandOver(response.secret(), options.new_secret_file, output));
  return output;
}

absl::StatusOr<Output> DropClient(Context& context, const AccountOptions& options) {
  auto request = New<v1::DropClientRequest>(context);
  request.set_client(options.id);
  request.set_only_old_secret(options.only_old_secret);
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  RETURN_IF_ERROR(accounts.Call(&AccountService::Stub::DropClient, request).status());
  return Said({{"client", options.id}, {"dropped", options.only_old_secret ? "old secret" : "client"}},
              absl::StrCat(options.only_old_secret ? "the old secret of " : "API client ", options.id,
                           " is dropped; its sessions have ended"));
}

absl::StatusOr<Output> ListClients(Context& context, const AccountOptions&) {
  ASSIGN_OR_RETURN(const Accounts accounts, OpenAccounts(context));
  Output output;
  output.json = {{"clients", Json::array()}};
  Table table{{"client", "name", "role", "status", "until", "old secret until"}, {}};
  v1::ListClientsRequest request;
  do {
    ASSIGN_OR_RETURN(const auto page, accounts.Call(&AccountService::Stub::ListClients, request));
    for (const v1::Client& client : page.clients()) {
      output.json["clients"].push_back(ToJson(client));
      table.rows.push_back({client.id(), client.display_name(), WordOf(client.role()),
                            client.dropped() ? "dropped" : "active",
                            client.has_expire_time() ? Minute(client.expire_time()) : "",
                            client.has_old_secret_until() ? Minute(client.old_secret_until()) : ""});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  output.Add(std::move(table));
  return output;
}

}  // namespace

void AddClientCommands(CLI::App& app, Command& command) {
  CLI::App& client = *app.add_subcommand("client", "API clients of this participant (administrators)")
                          ->require_subcommand(1);
  const auto add_file = [](CLI::App& sub, AccountOptions& options) {
    sub.add_option("--new-secret-file", options.new_secret_file,
                   "write the secret here (mode 0600) instead of showing it");
  };
  AddSub(client, "create", "create an API client and its secret", command, CreateClient,
         [&](CLI::App& sub, AccountOptions& options) {
           sub.add_option("--name", options.name, "what the company calls it")->required();
           AddRole(sub, options, false);
           sub.add_option("--days", options.days, "life of the client; no end without it")
               ->check(CLI::Range(1, 3650));
           add_file(sub, options);
         });
  AddSub(client, "rotate", "give an API client a new secret; the old one counts for 7 more days", command,
         RotateSecret, [&](CLI::App& sub, AccountOptions& options) {
           AddId(sub, options, "client");
           add_file(sub, options);
         });
  AddSub(client, "drop", "drop an API client", command, DropClient,
         [](CLI::App& sub, AccountOptions& options) {
           AddId(sub, options, "client");
           sub.add_flag("--only-old-secret", options.only_old_secret,
                        "drop the old secret alone, after a rotation");
         });
  AddSub(client, "list", "the API clients", command, ListClients);
}

}  // namespace tsunagi::cli
