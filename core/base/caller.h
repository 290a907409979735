// Who is calling: built by the Guard alone, passed on as an argument.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tsunagi {

namespace rpc {
class Guard;
}  // namespace rpc
class CallerForTest;

// An authenticated, active participant and the process that it calls from. There is no way to make one but
// through the Guard (tests: tests/support/caller.h).
class Caller {
 public:
  const std::string& did() const { return did_; }
  const std::string& label() const { return label_; }
  // Process of the certificate: `operator`, `connector`, `catalog`, `passport`, `node`, `registrar`.
  const std::string& process() const { return process_; }
  // Roles that the registrar granted, from the signed directory.
  const std::vector<std::string>& roles() const { return roles_; }
  bool HasRole(absl::string_view role) const {
    for (const std::string& granted : roles_) {
      if (granted == role) return true;
    }
    return false;
  }
  // Id of the account or API client of the own operator's session; empty without a session.
  const std::string& account() const { return account_; }
  // SHA-256 of the session's token; empty without a session.
  const std::string& session() const { return session_; }
  // SHA-256 of the certificate (DER), 32 bytes.
  const std::string& certificate_sha256() const { return certificate_sha256_; }
  // Id of the mandate (代行) under which an operator of another participant acts for this one; empty for
  // everybody else. did() and label() are the mandate's holder: who acts, not who is acted for.
  const std::string& mandate() const { return mandate_; }
  // End of the certificate.
  absl::Time not_after() const { return not_after_; }

 private:
  friend class rpc::Guard;
  friend class CallerForTest;
  Caller() = default;

  std::string did_;
  std::string label_;
  std::string process_;
  std::vector<std::string> roles_;
  std::string account_;
  std::string session_;
  std::string certificate_sha256_;
  std::string mandate_;
  absl::Time not_after_;
};

}  // namespace tsunagi
