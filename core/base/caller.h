// Who is calling: built by the Guard alone, passed on as an argument.
#pragma once

#include <memory>
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
  const std::string& did() const { return who_->did; }
  // Of the participant in the directory. Of another federation's participant `<label>.<federation>`, which no
  // label of this federation can be: a label has no dot.
  const std::string& label() const { return who_->label; }
  // Name of the other federation, trusted by this one, whose participant calls; empty for a participant of
  // this federation. Nothing that is the own participant's, or the registrar's, is open to it.
  const std::string& federation() const { return who_->federation; }
  // Process of the certificate: `operator`, `connector`, `catalog`, `passport`, `node`, `registrar`.
  const std::string& process() const { return who_->process; }
  // Roles that the registrar granted, from the signed directory. Of another federation's participant those
  // that the registrar mapped its roles to.
  const std::vector<std::string>& roles() const { return who_->roles; }
  bool HasRole(absl::string_view role) const {
    for (const std::string& granted : who_->roles) {
      if (granted == role) return true;
    }
    return false;
  }
  // Id of the account or API client of the own operator's session; empty without a session.
  const std::string& account() const { return account_; }
  // SHA-256 of the session's token; empty without a session.
  const std::string& session() const { return session_; }
  // SHA-256 of the certificate (DER), 32 bytes.
  const std::string& certificate_sha256() const { return who_->certificate_sha256; }
  // Id of the mandate (代行) under which an operator of another participant acts for this one; empty for
  // everybody else. did() and label() are the mandate's holder: who acts, not who is acted for.
  const std::string& mandate() const { return mandate_; }
  // End of the certificate.
  absl::Time not_after() const { return who_->not_after; }

 private:
  friend class rpc::Guard;
  friend class CallerForTest;
  // What stays the same from call to call, shared by them.
  struct Identity {
    std::string did;
    std::string label;
    std::string federation;
    std::string process;
    std::vector<std::string> roles;
    std::string certificate_sha256;
    absl::Time not_after;
  };

  explicit Caller(std::shared_ptr<const Identity> who) : who_(std::move(who)) {}

  std::shared_ptr<const Identity> who_;  // never null
  std::string account_;
  std::string session_;
  std::string mandate_;
};

}  // namespace tsunagi
