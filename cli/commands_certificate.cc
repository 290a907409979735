// Certificates of the own processes.
#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/values.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "tsunagi/ops/v1/operations_service.grpc.pb.h"

namespace tsunagi::cli {
namespace {

using ops::v1::OperationsService;

absl::StatusOr<Output> Renew(Context& context) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  Output output;
  output.json["processes"] = Json::array();
  Table table{{"process", "certificate until"}, {}};
  for (const std::string& process : session->OwnProcesses()) {
    const auto renewed = session->Call<OperationsService>(process, &OperationsService::Stub::RenewCertificate,
                                                          ops::v1::RenewCertificateRequest());
    if (!renewed.ok()) return Annotate(renewed.status(), absl::StrCat("certificate of ", process));
    const std::string until = FormatInstant(renewed->expire_time());
    output.json["processes"].push_back({{"process", process}, {"until", until}});
    table.rows.push_back({process, until});
  }
  output.Add(std::move(table));
  return output;
}

}  // namespace

void AddCertificateCommands(CLI::App& app, Command& command) {
  CLI::App* certificate = app.add_subcommand("certificate", "certificates of this participant's processes")
                              ->require_subcommand(1);
  certificate
      ->add_subcommand("renew",
                       "renew them and their tokens now; they do so by themselves at half their life")
      ->callback([&command] { command = Renew; });
}

}  // namespace tsunagi::cli
