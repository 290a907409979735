// tsunagi-node: catalog, passport and connector of one participant in one process, joined by direct calls.
#include "services/process/main.h"

#include "core/base/status_macros.h"
#include "services/accounts/service.h"
#include "services/catalog/service.h"
#include "services/connector/node.h"
#include "services/connector/service.h"
#include "services/mandate/node.h"
#include "services/mandate/service.h"
#include "services/passport/node.h"
#include "services/passport/service.h"
#include "services/process/denials.h"
#include "services/process/participant_process.h"

namespace {

using namespace tsunagi;  // NOLINT: composition

std::vector<rpc::AccessRow> Rows() {
  std::vector<rpc::AccessRow> all;
  for (const std::vector<rpc::AccessRow>& rows :
       {catalog::CatalogRows(), passport::PassportRows(), connector::ConnectorRows(), people::AccountRows(),
        mandate::MandateRows()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

absl::Status Serve(const internal::v1::NodeConfig& config) {
  ASSIGN_OR_RETURN(const std::unique_ptr<process::ParticipantProcess> process,
                   process::ParticipantProcess::Start(config, "node", Rows()));
  rpc::Guard& guard = process->guard();
  rpc::WorkerPool& workers = process->workers();

  process::Denials denials(process->journal(), process->clock());
  catalog::Notices notices(process->journal(), process->trust(), process->did(), process->clock(),
                           denials.log());
  catalog::CatalogService catalog(guard, notices, process->inbound());
  ASSIGN_OR_RETURN(const auto erasures, passport::ErasureList::Open(config.shared_dir() + "/erasures"));
  passport::PassportNode records(*process, config.federation(), *erasures);
  RETURN_IF_ERROR(records.eraser().EraseAgain());
  passport::PassportService passport(guard, records, workers, process->seal_key(), "node");
  ASSIGN_OR_RETURN(
      const std::unique_ptr<connector::ConnectorNode> node,
      connector::ConnectorNode::Open(*process, {"node", "node", config.federation(), config.policies()},
                                     records.reader(), denials.log()));
  connector::ConnectorService connector(guard, *node, workers);
  mandate::MandateNode mandates(*process, config.shared_dir());
  mandate::MandateService mandate(guard, mandates.own(), workers);

  ASSIGN_OR_RETURN(const auto people,
                   people::People::Open(process->journal(), process->clock(), process->random(),
                                        process->sessions(), process->session_file()));
  ASSIGN_OR_RETURN(const auto openid, people::OpenIdSignIns::Open(config.openid_provider(), *people,
                                                                  process->clock(), process->random()));
  people::AccountService accounts(guard, *people, process->sessions(), *openid);

  return process->Serve({&catalog, &passport, &connector, &mandate, &accounts});
}

}  // namespace

int main(int argc, char** argv) { return process::Main(argc, argv, "node", Serve); }
