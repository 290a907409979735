// What the commands of membership share.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "core/base/status_macros.h"
#include "tsunagi/identity/v1/membership_service.grpc.pb.h"

namespace tsunagi::cli {

// Calls the registrar.
template <class Request, class Response>
absl::StatusOr<Response> Ask(Context& context,
                             grpc::Status (identity::v1::MembershipService::Stub::*method)(
                                 grpc::ClientContext*, const Request&, Response*),
                             const Request& request) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  return session->Call<identity::v1::MembershipService>("registrar", method, request);
}

// A command whose options lie in `options` until it runs.
template <class Options>
void SetCommand(CLI::App& sub, std::shared_ptr<Options> options,
                absl::StatusOr<Output> (*run)(Context&, const Options&), Command& command) {
  sub.callback([&command, options = std::move(options), run] {
    command = [options, run](Context& context) { return run(context, *options); };
  });
}

// A response as JSON, its warnings as lines.
template <class Response>
Output WithWarnings(const Response& response) {
  Output output;
  output.json = ToJson(response);
  for (const std::string& warning : response.warnings()) output.Line(absl::StrCat("look at it: ", warning));
  return output;
}

// That something waits, and how to approve it.
inline std::string Waits(absl::string_view what, absl::string_view id) {
  return absl::StrCat(what, " waits for approval: `tsunagi participant approve ", id, "`");
}

inline CLI::Option* AddReason(CLI::App& sub, std::string& reason) {
  return sub.add_option("--reason", reason, "why, for the record");
}

}  // namespace tsunagi::cli
