#include "services/connector/node.h"

#include <utility>

#include "connector/records.h"
#include "core/base/config.h"
#include "core/base/status_macros.h"

namespace tsunagi::connector {

absl::StatusOr<std::unique_ptr<ConnectorNode>> ConnectorNode::Open(process::ParticipantProcess& process,
                                                                   const ConnectorOptions& options,
                                                                   grant::PassportSource& source,
                                                                   audit::DenialLog& denials) {
  ASSIGN_OR_RETURN(std::unique_ptr<PolicyStore> policies,
                   PolicyStore::Open(process.journal(), process.clock()));
  if (!options.policies.empty()) {
    v1::PolicySet set;
    RETURN_IF_ERROR(LoadYamlFile(options.policies, set));
    RETURN_IF_ERROR(policies->SetFirst(set));
  }
  return std::unique_ptr<ConnectorNode>(
      new ConnectorNode(process, options, std::move(policies), source, denials));
}

ConnectorNode::ConnectorNode(process::ParticipantProcess& process, const ConnectorOptions& options,
                             std::unique_ptr<PolicyStore> policies, grant::PassportSource& source,
                             audit::DenialLog& denials)
    : own_{process.did(),
           process.label(),
           options.federation,
           options.process,
           options.passport_process,
           process.signing_key(),
           RequestDigestKey(process.node_key())},
      policies_(std::move(policies)),
      table_(process.journal()),
      lookups_(process.journal()),
      enforcer_(own_, *policies_, table_, process.clock(), process.random()),
      agreements_(own_, *policies_, table_, denials, process.journal(), process.clock(), process.random()),
      releases_(own_, enforcer_, source, lookups_, denials, process.journal(), process.trust(),
                process.clock()),
      chunks_(own_, enforcer_, source, denials, process.journal(), process.clock()),
      previews_(own_, enforcer_, *policies_, table_, source, process.trust(), process.clock()),
      federation_(process),
      obtained_(own_, table_, federation_, process.journal(), process.clock(), process.random()),
      holders_(own_, obtained_, federation_, releases_),
      resolver_(own_, holders_, federation_, process.trust(), process.clock()) {}

}  // namespace tsunagi::connector
