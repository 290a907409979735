// Directory and status list: fetched from the registrar, kept on disk for its outages. Blocking.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "core/base/mutex.h"
#include "identity/trust.h"
#include "services/process/registrar.h"

namespace tsunagi::process {

// Keeps <data_dir>/directory and <data_dir>/status. Thread-safe: one refresh at a time.
class TrustKeeper {
 public:
  // `trust` must outlive this object.
  TrustKeeper(std::string data_dir, identity::TrustStore& trust)
      : data_dir_(std::move(data_dir)), trust_(trust) {}

  // Takes over what is kept and verifies. What is missing or wrong is left out and logged.
  void Load();

  // Fetches both lists, takes them over and keeps them. The first error; the other list is tried all the
  // same.
  absl::Status Refresh(Registrar& registrar);

 private:
  absl::Status RefreshDirectory(Registrar& registrar) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RefreshStatusList(Registrar& registrar) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string data_dir_;
  identity::TrustStore& trust_;
  Mutex mutex_;  // orders the files like the versions
};

}  // namespace tsunagi::process
