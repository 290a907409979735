// Callers without a Guard.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/base/caller.h"

namespace tsunagi {

class CallerForTest {
 public:
  // A caller whose certificate hash is 32 bytes made of its label and which does not expire.
  static Caller Make(std::string did, std::string label, std::string process = "node",
                     std::vector<std::string> roles = {}) {
    Caller caller;
    caller.certificate_sha256_ = label.substr(0, 32);
    caller.certificate_sha256_.resize(32, '#');
    caller.did_ = std::move(did);
    caller.label_ = std::move(label);
    caller.process_ = std::move(process);
    caller.roles_ = std::move(roles);
    caller.not_after_ = absl::InfiniteFuture();
    return caller;
  }
  // The same caller with a session of `account`, whose token has the SHA-256 `session`.
  static Caller WithAccount(Caller caller, std::string account, std::string session = "") {
    caller.account_ = std::move(account);
    caller.session_ = std::move(session);
    return caller;
  }
  static Caller WithMandate(Caller caller, std::string mandate) {
    caller.mandate_ = std::move(mandate);
    return caller;
  }
  static Caller WithCertificate(Caller caller, std::string certificate_sha256) {
    caller.certificate_sha256_ = std::move(certificate_sha256);
    return caller;
  }
  static Caller WithNotAfter(Caller caller, absl::Time not_after) {
    caller.not_after_ = not_after;
    return caller;
  }
};

}  // namespace tsunagi
