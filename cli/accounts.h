// What the commands about accounts and API clients share.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "tsunagi/identity/v1/account_service.grpc.pb.h"

namespace tsunagi::cli {

namespace v1 = identity::v1;
using v1::AccountService;

// Options of these commands; each uses some.
struct AccountOptions {
  std::string id;
  std::string name;
  v1::AccountRole role = v1::ACCOUNT_ROLE_UNSPECIFIED;
  std::string password_file;
  std::string current_password_file;
  bool erase_name = false;
  bool openid = false;
  int callback_port = 0;
  std::string subject;
  bool drop_password = false;
  uint64_t days = 0;
  std::string new_secret_file;
  bool only_old_secret = false;
};

// An opened session, and the process that keeps the accounts.
struct Accounts {
  std::unique_ptr<Session> session;
  std::string process;

  template <class Request, class Response>
  absl::StatusOr<Response> Call(grpc::Status (AccountService::Stub::*method)(grpc::ClientContext*,
                                                                             const Request&, Response*),
                                const Request& request) const {
    return session->Call<AccountService>(process, method, request);
  }
};

inline absl::StatusOr<Accounts> OpenAccounts(const Context& context) {
  ASSIGN_OR_RETURN(auto session, context.Open());
  std::string process = session->AccountsProcess();
  return Accounts{std::move(session), std::move(process)};
}

// A request with a new id.
template <class Request>
Request New(Context& context) {
  Request request;
  request.set_request_id(NewUuid(context.random));
  return request;
}

// To the minute, in UTC.
inline std::string Minute(const google::protobuf::Timestamp& timestamp) {
  const auto time = FromProto(timestamp);
  return time.ok() ? absl::FormatTime("%Y-%m-%d %H:%M UTC", *time, absl::UTCTimeZone()) : "?";
}

// An output of one line.
inline Output Said(Json json, std::string line) {
  Output output;
  output.json = std::move(json);
  output.Line(std::move(line));
  return output;
}

// What a subcommand runs.
using RunWith = absl::StatusOr<Output> (*)(Context&, const AccountOptions&);

// A subcommand with options of its own; `add` names them.
inline void AddSub(CLI::App& app, const std::string& name, const std::string& help, Command& command,
                   RunWith run, const std::function<void(CLI::App&, AccountOptions&)>& add = {}) {
  auto options = std::make_shared<AccountOptions>();
  CLI::App* sub = app.add_subcommand(name, help);
  if (add) add(*sub, *options);
  sub->callback(
      [&command, run, options] { command = [run, options](Context& c) { return run(c, *options); }; });
}

// `--role`, required.
inline void AddRole(CLI::App& app, AccountOptions& options, bool with_administrator) {
  std::map<std::string, v1::AccountRole> roles = {{"viewer", v1::ACCOUNT_ROLE_VIEWER},
                                                  {"auditor", v1::ACCOUNT_ROLE_AUDITOR},
                                                  {"operator", v1::ACCOUNT_ROLE_OPERATOR}};
  if (with_administrator) roles["administrator"] = v1::ACCOUNT_ROLE_ADMINISTRATOR;
  app.add_option("--role", options.role,
                 absl::StrCat("viewer, auditor or operator", with_administrator ? ", or administrator" : ""))
      ->required()
      ->transform(CLI::CheckedTransformer(roles));
}

// The id, as a positional argument.
inline void AddId(CLI::App& app, AccountOptions& options, const std::string& name) {
  app.add_option(name, options.id, absl::StrCat("id of the ", name))->required();
}

}  // namespace tsunagi::cli
