// The people and apps of a company, in the process that keeps them.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "identity/people/accounts.h"
#include "identity/people/clients.h"
#include "identity/people/rows.h"
#include "identity/people/sign_in.h"

namespace tsunagi::people {

// Thread-safe.
class People {
 public:
  // Fills `sessions` from the journal's store and writes `session_file`. All but `session_file` must outlive
  // this.
  static absl::StatusOr<std::unique_ptr<People>> Open(audit::Journal& journal, const Clock& clock,
                                                      Random& random, SessionTable& sessions,
                                                      std::string session_file,
                                                      crypto::PasswordCost cost = {});

  Accounts& accounts() { return accounts_; }
  Clients& clients() { return clients_; }
  SignIns& sign_ins() { return sign_ins_; }

  // Saves when sessions were last used. Blocks.
  absl::Status SaveUses();

 private:
  People(audit::Journal& journal, const Clock& clock, Random& random, SessionTable& sessions,
         std::string session_file, crypto::PasswordCost cost)
      : context_{journal, clock, random, sessions, std::move(session_file), crypto::PasswordHasher(cost)} {}
  absl::Status Load();

  PeopleContext context_;
  Accounts accounts_{context_};
  Clients clients_{context_};
  SignIns sign_ins_{context_};
};

}  // namespace tsunagi::people
