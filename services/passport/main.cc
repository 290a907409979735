// tsunagi-passport: the battery records of one participant.
#include "services/process/main.h"

#include "core/base/status_macros.h"
#include "services/passport/node.h"
#include "services/passport/service.h"

namespace {

absl::Status Serve(const tsunagi::internal::v1::NodeConfig& config) {
  using namespace tsunagi;  // NOLINT: composition
  ASSIGN_OR_RETURN(const std::unique_ptr<process::ParticipantProcess> process,
                   process::ParticipantProcess::Start(config, "passport", passport::PassportRows()));
  ASSIGN_OR_RETURN(const auto erasures, passport::ErasureList::Open(config.shared_dir() + "/erasures"));
  passport::PassportNode node(*process, config.federation(), *erasures);
  RETURN_IF_ERROR(node.eraser().EraseAgain());
  passport::PassportService service(process->guard(), node, process->workers(), process->seal_key(),
                                    "passport");
  return process->Serve({&service});
}

}  // namespace

int main(int argc, char** argv) { return tsunagi::process::Main(argc, argv, "passport", Serve); }
