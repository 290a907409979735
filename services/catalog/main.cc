// tsunagi-catalog: who holds what about the batteries of one manufacturer.
#include "services/process/main.h"

#include "core/base/status_macros.h"
#include "services/catalog/service.h"
#include "services/process/denials.h"
#include "services/process/participant_process.h"

namespace {

absl::Status Serve(const tsunagi::internal::v1::NodeConfig& config) {
  using namespace tsunagi;  // NOLINT: composition
  ASSIGN_OR_RETURN(const std::unique_ptr<process::ParticipantProcess> process,
                   process::ParticipantProcess::Start(config, "catalog", catalog::CatalogRows()));
  process::Denials denials(process->journal(), process->clock());
  catalog::Notices notices(process->journal(), process->trust(), process->did(), process->clock(),
                           denials.log());
  catalog::CatalogService service(process->guard(), notices, process->inbound());
  return process->Serve({&service});
}

}  // namespace

int main(int argc, char** argv) { return tsunagi::process::Main(argc, argv, "catalog", Serve); }
