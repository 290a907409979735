// The connector of one process: its parts, put together.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "connector/enforcer.h"
#include "connector/grant/passport_source.h"
#include "connector/lookup_counter.h"
#include "connector/negotiation/agreements.h"
#include "connector/negotiation/obtain.h"
#include "connector/policy_store.h"
#include "connector/transfer/ask.h"
#include "connector/transfer/preview.h"
#include "connector/transfer/release.h"
#include "connector/transfer/resolve.h"
#include "connector/transfer/stream.h"
#include "services/connector/federation_client.h"
#include "services/process/participant_process.h"

namespace tsunagi::connector {

struct ConnectorOptions {
  // Names of the process that issues Grants and of the one that reads under them: both `node`, or `connector`
  // and `passport`.
  std::string process;
  std::string passport_process;
  std::string federation;
  // YAML file of the policies that a new node starts with; may be empty.
  std::string policies;
};

// Order of members is order of use. Lives until every call has finished.
class ConnectorNode {
 public:
  // All but `options` must outlive the node. INVALID_ARGUMENT naming every mistake in the policy file.
  static absl::StatusOr<std::unique_ptr<ConnectorNode>> Open(process::ParticipantProcess& process,
                                                             const ConnectorOptions& options,
                                                             grant::PassportSource& source,
                                                             audit::DenialLog& denials);

  PolicyStore& policies() { return *policies_; }
  Agreements& agreements() { return agreements_; }
  AgreementTable& agreement_table() { return table_; }
  Releases& releases() { return releases_; }
  ChunkReleases& chunks() { return chunks_; }
  Previews& previews() { return previews_; }
  Resolver& resolver() { return resolver_; }
  Federation& federation() { return federation_; }

 private:
  ConnectorNode(process::ParticipantProcess& process, const ConnectorOptions& options,
                std::unique_ptr<PolicyStore> policies, grant::PassportSource& source,
                audit::DenialLog& denials);

  const OwnNode own_;
  const std::unique_ptr<PolicyStore> policies_;
  AgreementTable table_;
  LookupCounter lookups_;
  Enforcer enforcer_;
  Agreements agreements_;
  Releases releases_;
  ChunkReleases chunks_;
  Previews previews_;
  FederationClient federation_;
  ObtainedAgreements obtained_;
  HolderClient holders_;
  Resolver resolver_;
};

}  // namespace tsunagi::connector
