// tsunagi-connector: policies, agreements and releases of one participant, whose records lie in another
// process.
#include "services/process/main.h"

#include "core/base/status_macros.h"
#include "services/connector/node.h"
#include "services/connector/passport_client.h"
#include "services/connector/service.h"
#include "services/process/denials.h"

namespace {

absl::Status Serve(const tsunagi::internal::v1::NodeConfig& config) {
  using namespace tsunagi;  // NOLINT: composition
  ASSIGN_OR_RETURN(const std::unique_ptr<process::ParticipantProcess> process,
                   process::ParticipantProcess::Start(config, "connector", connector::ConnectorRows()));
  connector::PassportClient passport(*process);
  process::Denials denials(process->journal(), process->clock());
  const connector::ConnectorOptions options{"connector", "passport", config.federation(), config.policies()};
  ASSIGN_OR_RETURN(const std::unique_ptr<connector::ConnectorNode> node,
                   connector::ConnectorNode::Open(*process, options, passport, denials.log()));
  connector::ConnectorService service(process->guard(), *node, process->workers());
  return process->Serve({&service});
}

}  // namespace

int main(int argc, char** argv) { return tsunagi::process::Main(argc, argv, "connector", Serve); }
