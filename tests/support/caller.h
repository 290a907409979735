// Callers without a Guard.
#pragma once

#include <memory>
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
    Caller::Identity who;
    who.certificate_sha256 = label.substr(0, 32);
    who.certificate_sha256.resize(32, '#');
    who.did = std::move(did);
    who.label = std::move(label);
    who.process = std::move(process);
    who.roles = std::move(roles);
    who.not_after = absl::InfiniteFuture();
    return Caller(std::make_shared<const Caller::Identity>(std::move(who)));
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
  static Caller WithCertificate(const Caller& caller, std::string certificate_sha256) {
    return Changed(caller, [&](auto& who) { who.certificate_sha256 = std::move(certificate_sha256); });
  }
  static Caller WithNotAfter(const Caller& caller, absl::Time not_after) {
    return Changed(caller, [&](auto& who) { who.not_after = not_after; });
  }

 private:
  template <class Change>
  static Caller Changed(Caller caller, Change change) {
    Caller::Identity who = *caller.who_;
    change(who);
    caller.who_ = std::make_shared<const Caller::Identity>(std::move(who));
    return caller;
  }
};

}  // namespace tsunagi
