// A process as its certificate names it.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "core/base/caller.h"

namespace tsunagi::identity {

// A process that proved to hold the key of its certificate: over gRPC (the Guard's Caller) or at the HTTPS
// edge.
struct CertifiedProcess {
  std::string label;
  std::string process;
  std::string certificate_sha256;  // 32 bytes
  absl::Time not_after;            // of the certificate
};

inline CertifiedProcess ProcessOf(const Caller& caller) {
  return {caller.label(), caller.process(), caller.certificate_sha256(), caller.not_after()};
}

}  // namespace tsunagi::identity
