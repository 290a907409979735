#include "cli/app.h"

#include <algorithm>
#include <map>

#include "cli/command.h"

namespace tsunagi::cli {
namespace {

struct Globals {
  std::string profile = DefaultProfile();
  Format format = Format::kTable;
  int timeout_seconds = 60;
  std::string client;
  std::string secret_file;
  Acting acting;
};

void AddGlobals(CLI::App& app, Globals& globals) {
  app.add_option("--profile", globals.profile, "folder of this operator: operator.yaml, key, certificate")
      ->envname("TSUNAGI_PROFILE");
  app.add_option("--output", globals.format, "table or json")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Format>{{"table", Format::kTable}, {"json", Format::kJson}}));
  app.add_option("--timeout", globals.timeout_seconds, "seconds to wait for each answer")
      ->check(CLI::Range(1, 3600));
  CLI::Option* client = app.add_option("--client", globals.client, "id of the API client that acts");
  CLI::Option* secret =
      app.add_option("--secret-file", globals.secret_file, "file (mode 0600) with the API client's secret");
  client->needs(secret);
  secret->needs(client);
  CLI::Option* party = app.add_option("--for", globals.acting.party,
                                      "act for this participant (label or DID) under a mandate (代行) that "
                                      "it gave: passport import, show, erase and "
                                      "amend, policy");
  app.add_option("--node", globals.acting.node, "host:port of its node, instead of what the directory says")
      ->needs(party);
}

void AddCommands(CLI::App& app, Command& command) {
  AddEnrolCommand(app, command);
  AddParticipantCommands(app, command);
  AddAuthorityCommands(app, command);
  AddPassportCommands(app, command);
  AddMandateCommands(app, command);
  AddPolicyCommands(app, command);
  AddAgreementCommands(app, command);
  AddNoticeCommands(app, command);
  AddAmendmentCommands(app, command);
  AddAuditCommands(app, command);
  AddReceiptCommands(app, command);
  AddCertificateCommands(app, command);
  AddAccountCommands(app, command);
  AddClientCommands(app, command);
}

// Help is a success; everything else that CLI11 throws is a usage error.
int Usage(const CLI::App& app, const CLI::ParseError& error, std::ostream& out, std::ostream& err) {
  return app.exit(error, out, err) == 0 ? kExitOk : kExitUsage;
}

int Execute(const Command& command, const Globals& globals, std::ostream& out, std::ostream& err) {
  Context context{
      globals.profile, absl::Seconds(globals.timeout_seconds), err, {}, globals.client, globals.secret_file,
      globals.acting};
  const auto output = command(context);
  if (!output.ok()) {
    err << RenderError(output.status(), globals.format);
    return kExitError;
  }
  out << Render(*output, globals.format);
  return output->failed ? kExitError : kExitOk;
}

}  // namespace

int Run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  Globals globals;
  Command command;
  CLI::App app("tsunagi: battery passports of this participant, and what others release to it", "tsunagi");
  app.require_subcommand(1);
  app.fallthrough();
  AddGlobals(app, globals);
  AddCommands(app, command);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // CLI11 takes them from the back
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return Usage(app, error, out, err);
  }
  return Execute(command, globals, out, err);
}

}  // namespace tsunagi::cli
