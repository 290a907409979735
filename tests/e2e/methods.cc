#include "tests/e2e/methods.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor_database.h"
#include "services/accounts/service.h"
#include "services/catalog/service.h"
#include "services/connector/service.h"
#include "services/identity/authority_service.h"
#include "services/identity/backup_service.h"
#include "services/identity/federation_trust_service.h"
#include "services/identity/mandate_registry_service.h"
#include "services/identity/membership_service.h"
#include "services/identity/service.h"
#include "services/mandate/service.h"
#include "services/ops/operations_service.h"
#include "services/passport/service.h"
#include "services/process/trust_service.h"

namespace tsunagi::e2e {

using google::protobuf::DescriptorPool;

std::vector<const google::protobuf::ServiceDescriptor*> AllServices() {
  std::vector<std::string> files;
  DescriptorPool::internal_generated_database()->FindAllFileNames(&files);
  std::vector<const google::protobuf::ServiceDescriptor*> services;
  for (const std::string& name : files) {
    if (!absl::StartsWith(name, "tsunagi/")) continue;
    const auto* file = DescriptorPool::generated_pool()->FindFileByName(name);
    for (int i = 0; i < file->service_count(); ++i) services.push_back(file->service(i));
  }
  return services;
}

std::vector<std::string> AllMethods() {
  std::vector<std::string> methods;
  for (const auto* service : AllServices()) {
    for (int i = 0; i < service->method_count(); ++i) {
      methods.push_back(absl::StrCat("/", service->full_name(), "/", service->method(i)->name()));
    }
  }
  return methods;
}

std::vector<rpc::AccessRow> AllRows() {
  std::vector<rpc::AccessRow> all;
  for (const std::vector<rpc::AccessRow>& rows :
       {identity::IdentityRows(), identity::AuthorityRows(), identity::MembershipRows(),
        identity::MandateRegistryRows(), mandate::MandateRows(), catalog::CatalogRows(),
        passport::PassportRows(), connector::ConnectorRows(), ops::OperationsRows(), process::TrustRows(),
        people::AccountRows(), identity::FederationTrustRows(), identity::BackupRows()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

}  // namespace tsunagi::e2e
