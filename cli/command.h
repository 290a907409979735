// What every command shares.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/identifier.h"
#include "cli/output.h"
#include "cli/session.h"
#include "core/base/random.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi::cli {

// Where a command runs.
struct Context {
  std::string profile;
  absl::Duration timeout;
  std::ostream& progress;  // for people: what is being done
  SystemRandom random;
  // API client that acts, and the file with its secret; empty when the profile's session does.
  std::string client = {};
  std::string secret_file = {};
  Acting acting = {};

  absl::StatusOr<std::unique_ptr<Session>> Open() const;
};

// The command that the command line names.
using Command = std::function<absl::StatusOr<Output>(Context&)>;

// Each adds its subcommands; the one that is named sets `command`.
void AddParticipantCommands(CLI::App& app, Command& command);
void AddAdmissionCommands(CLI::App& participant, Command& command);
void AddMembershipCommands(CLI::App& participant, Command& command);
void AddEnrolCommand(CLI::App& app, Command& command);
void AddAuthorityCommands(CLI::App& app, Command& command);
void AddFederationCommands(CLI::App& authority, Command& command);
void AddPassportCommands(CLI::App& app, Command& command);
void AddImportCommand(CLI::App& passport, Command& command);
void AddAmendCommand(CLI::App& passport, Command& command);
void AddAmendmentCommands(CLI::App& app, Command& command);
void AddMandateCommands(CLI::App& app, Command& command);
void AddPolicyCommands(CLI::App& app, Command& command);
void AddAgreementCommands(CLI::App& app, Command& command);
void AddNoticeCommands(CLI::App& app, Command& command);
void AddAuditCommands(CLI::App& app, Command& command);
void AddReceiptCommands(CLI::App& app, Command& command);
void AddCertificateCommands(CLI::App& app, Command& command);
void AddAccountCommands(CLI::App& app, Command& command);
void AddClientCommands(CLI::App& app, Command& command);

// An option that takes a battery or vehicle; a wrong form is a usage error.
CLI::Option* AddIdentifier(CLI::App& app, const std::string& name, Identifier& identifier);
// `--section`, repeatable: words such as `condition`.
CLI::Option* AddSections(CLI::App& app, std::vector<common::v1::Section>& sections);

// `--stamping-root`, see LoadStampingRoot.
CLI::Option* AddStampingRoot(CLI::App& app, std::string& path);

// Finds DIDs through the session.
FindParty FinderOf(Session& session);

// `SERIAL@label` when the manufacturer is listed, else `did#SERIAL`.
std::string BatteryText(Session& session, const common::v1::BatteryId& battery);

}  // namespace tsunagi::cli
