// tsunagi-connector: policies, agreements, releases and mandates of one participant, whose records lie in
// another process.
#include "services/process/main.h"

#include "core/base/status_macros.h"
#include "services/accounts/service.h"
#include "services/connector/node.h"
#include "services/connector/passport_client.h"
#include "services/connector/service.h"
#include "services/mandate/node.h"
#include "services/mandate/service.h"
#include "services/process/denials.h"

namespace {

std::vector<tsunagi::rpc::AccessRow> Rows() {
  std::vector<tsunagi::rpc::AccessRow> all = tsunagi::connector::ConnectorRows();
  for (const tsunagi::rpc::AccessRow& row : tsunagi::people::AccountRows()) all.push_back(row);
  for (const tsunagi::rpc::AccessRow& row : tsunagi::mandate::MandateRows()) all.push_back(row);
  return all;
}

absl::Status Serve(const tsunagi::internal::v1::NodeConfig& config) {
  using namespace tsunagi;  // NOLINT: composition
  ASSIGN_OR_RETURN(const std::unique_ptr<process::ParticipantProcess> process,
                   process::ParticipantProcess::Start(config, "connector", Rows()));
  connector::PassportClient passport(*process);
  process::Denials denials(process->journal(), process->clock());
  const connector::ConnectorOptions options{"connector", "passport", config.federation(), config.policies()};
  ASSIGN_OR_RETURN(const std::unique_ptr<connector::ConnectorNode> node,
                   connector::ConnectorNode::Open(*process, options, passport, denials.log()));
  connector::ConnectorService service(process->guard(), *node, process->workers());
  ASSIGN_OR_RETURN(const auto people,
                   people::People::Open(process->journal(), process->clock(), process->random(),
                                        process->sessions(), process->session_file()));
  ASSIGN_OR_RETURN(const auto openid, people::OpenIdSignIns::Open(config.openid_provider(), *people,
                                                                  process->clock(), process->random()));
  people::AccountService accounts(process->guard(), *people, process->sessions(), *openid);
  mandate::MandateNode mandates(*process, config.shared_dir());
  mandate::MandateService mandate(process->guard(), mandates.own(), process->workers());
  return process->Serve({&service, &accounts, &mandate});
}

}  // namespace

int main(int argc, char** argv) { return tsunagi::process::Main(argc, argv, "connector", Serve); }
