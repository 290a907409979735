// The registrar as a process: store, journal, gRPC and EST, own credentials, upkeep.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "identity/registrar.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::identity {

class RegistrarProcess {
 public:
  // Serves when it returns, with `config` as LoadConfig gives it. Writes listen, est-listen, root.crt and,
  // at the first start, operator-invitation into data_dir. Blocks. `clock` must outlive the process.
  static absl::StatusOr<std::unique_ptr<RegistrarProcess>> Start(const internal::v1::RegistrarConfig& config,
                                                                 const Clock& clock);
  // Drains.
  virtual ~RegistrarProcess() = default;

  virtual int port() const = 0;
  virtual int est_port() const = 0;
  virtual Registrar& registrar() = 0;

 protected:
  RegistrarProcess() = default;
};

}  // namespace tsunagi::identity
