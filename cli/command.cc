#include "cli/command.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace tsunagi::cli {

absl::StatusOr<std::unique_ptr<Session>> Context::Open() const {
  ASSIGN_OR_RETURN(auto session, Session::Open(Profile(profile), timeout, acting));
  if (!client.empty()) {
    ASSIGN_OR_RETURN(const std::string secret, ReadSecretFile(secret_file, 1024));
    session->UseClient(client, std::string(absl::StripAsciiWhitespace(secret)));
  }
  return session;
}

CLI::Option* AddIdentifier(CLI::App& app, const std::string& name, Identifier& identifier) {
  return app.add_option_function<std::string>(
      name,
      [&identifier](const std::string& text) {
        auto parsed = ParseIdentifier(text);
        if (!parsed.ok()) throw CLI::ValidationError("identifier", std::string(parsed.status().message()));
        identifier = *std::move(parsed);
      },
      kIdentifierHelp);
}

CLI::Option* AddSections(CLI::App& app, std::vector<common::v1::Section>& sections) {
  return app
      .add_option_function<std::vector<std::string>>(
          "--section",
          [&sections](const std::vector<std::string>& words) {
            for (const std::string& word : words) {
              common::v1::Section section = common::v1::SECTION_UNSPECIFIED;
              if (!common::v1::Section_Parse(absl::StrCat("SECTION_", absl::AsciiStrToUpper(word)),
                                             &section) ||
                  section == common::v1::SECTION_UNSPECIFIED) {
                throw CLI::ValidationError(
                    "--section", absl::StrCat("`", word,
                                              "` is no section: expected identity, vehicle, structure, "
                                              "materials, condition, history, footprint, diligence, "
                                              "regulation or lookup"));
              }
              sections.push_back(section);
            }
          },
          "a section; may be repeated")
      ->expected(1, 16)
      ->allow_extra_args(false);
}

CLI::Option* AddStampingRoot(CLI::App& app, std::string& path) {
  return app.add_option("--stamping-root", path,
                        "PEM file of the root of the authority that stamped the checkpoints (RFC 3161)");
}

FindParty FinderOf(Session& session) {
  return [&session](absl::string_view did_or_label) { return session.FindDid(did_or_label); };
}

std::string BatteryText(Session& session, const common::v1::BatteryId& battery) {
  const std::string name = session.NameOf(battery.manufacturer());
  return absl::StartsWith(name, "did:") ? absl::StrCat(name, "#", battery.serial())
                                        : absl::StrCat(battery.serial(), "@", name);
}

}  // namespace tsunagi::cli
