// Joining: invitations of members, and this profile's own enrolment.
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/command.h"
#include "cli/trust.h"
#include "core/base/bytes.h"
#include "core/base/config.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "services/http/est_client.h"
#include "services/rpc/channel.h"
#include "tsunagi/identity/v1/identity_service.grpc.pb.h"

namespace tsunagi::cli {
namespace {

using identity::v1::IdentityService;

constexpr char kRegistrar[] = "registrar";
constexpr size_t kMaxCodeFile = 1024;

struct Invite {
  std::string label;
  std::vector<std::string> processes;
  uint64_t days = 7;
  std::string code_file;
  std::string person;
};

absl::StatusOr<Output> CreateInvitation(Context& context, const Invite& invite) {
  identity::v1::CreateInvitationRequest request;
  request.set_request_id(NewUuid(context.random));
  request.set_label(invite.label);
  for (const std::string& process : invite.processes) request.add_processes(process);
  request.set_ttl_seconds(invite.days * 24 * 60 * 60);
  request.set_person(invite.person);
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response, session->Call<IdentityService>(
                                            kRegistrar, &IdentityService::Stub::CreateInvitation, request));
  Output output;
  output.json = {
      {"label", invite.label}, {"est_url", response.url()}, {"root_sha256", response.root_sha256()}};
  output.Line(absl::StrCat("est_url: ", response.url(), "\nroot_sha256: ", response.root_sha256()));
  if (invite.code_file.empty()) {
    output.json["code"] = response.code();
    output.Line(absl::StrCat("code (shown once): ", response.code()));
    return output;
  }
  RETURN_IF_ERROR(WriteFileAtomically(invite.code_file, response.code() + "\n", 0600));
  output.json["code_file"] = invite.code_file;
  output.Line(absl::StrCat("the code is in ", invite.code_file,
                           ": hand it over on a safe way, it lets its holder join"));
  return output;
}

struct Enrolment {
  std::string invitation_file;
  std::string config;
};

absl::StatusOr<Output> Enrol(Context& context, const Enrolment& enrolment) {
  ASSIGN_OR_RETURN(const auto config, LoadOperatorConfig(enrolment.config));
  ASSIGN_OR_RETURN(std::string code, ReadFile(enrolment.invitation_file, kMaxCodeFile));
  const Profile profile(context.profile);
  RETURN_IF_ERROR(profile.SaveConfig(enrolment.config));
  ASSIGN_OR_RETURN(const auto key, profile.LoadOrCreateKey());
  const std::string dns = rpc::ProcessDnsName(kOperatorProcess, config.participant(), config.federation());
  const std::string uri = rpc::ProcessUri(kOperatorProcess, config.participant(), config.federation());
  ASSIGN_OR_RETURN(const std::string request, crypto::MakeCertificateRequest(key, dns, {uri}, {dns}));
  const auto& registrar = config.registrar();
  ASSIGN_OR_RETURN(const auto root, http::FetchRoot(registrar.est_url(), registrar.root_sha256()));
  // The root of an older invitation vouches for the one that is in use now.
  const auto roots = NewestBundle(profile, config, identity::PinnedBundle(root)).RootsAt(absl::Now());
  ASSIGN_OR_RETURN(const auto chain, http::SimpleEnroll(registrar.est_url(), roots, config.participant(),
                                                        absl::StripAsciiWhitespace(code), request));
  RETURN_IF_ERROR(profile.SaveCertificates(chain, root));
  const std::string until =
      absl::FormatTime("%Y-%m-%d %H:%M UTC", chain.front().not_after, absl::UTCTimeZone());
  Output output;
  output.json = {
      {"participant", config.participant()}, {"profile", profile.folder()}, {"certificate_until", until}};
  output.Line(absl::StrCat("enrolled an operator of ", config.participant(), " in ", profile.folder(),
                           "; certificate until ", until, ", renewed by itself"));
  return output;
}

}  // namespace

void AddParticipantCommands(CLI::App& app, Command& command) {
  CLI::App* participant =
      app.add_subcommand("participant", "participants of the federation")->require_subcommand(1);
  AddMembershipCommands(*participant, command);
  auto invite = std::make_shared<Invite>();
  CLI::App* sub = participant->add_subcommand("invite", "issue an invitation (registrar's operator)");
  sub->add_option("label", invite->label, "label of a member")->required();
  sub->add_option("--process", invite->processes,
                  "node, connector, catalog, passport or operator; may be repeated")
      ->required()
      ->expected(1, 8)
      ->allow_extra_args(false);
  sub->add_option("--days", invite->days, "life of the invitation")->check(CLI::Range(1, 30));
  sub->add_option("--code-file", invite->code_file, "write the code here (mode 0600) instead of showing it");
  sub->add_option("--person", invite->person,
                  "for an operator of the registrar: the name by which the registrar knows the person");
  sub->callback(
      [&command, invite] { command = [invite](Context& c) { return CreateInvitation(c, *invite); }; });
}

void AddEnrolCommand(CLI::App& app, Command& command) {
  auto enrolment = std::make_shared<Enrolment>();
  CLI::App* sub =
      app.add_subcommand("enrol", "join with an invitation: makes this profile's key and certificate");
  sub->add_option("--invitation-file", enrolment->invitation_file, "file with the invitation code")
      ->required();
  sub->add_option(
         "--config", enrolment->config,
         "operator.yaml: federation, participant, registrar {address, est_url, root_sha256}, node (or "
         "connector, catalog, passport)")
      ->required();
  sub->callback(
      [&command, enrolment] { command = [enrolment](Context& c) { return Enrol(c, *enrolment); }; });
}

}  // namespace tsunagi::cli
