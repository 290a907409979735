// Sessions begin and end.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "identity/people/lockout.h"
#include "identity/people/rows.h"

namespace tsunagi::people {

// Blocks and hashes passwords: never on a handler's thread. Thread-safe.
class SignIns {
 public:
  // An account or API client has at most so many sessions: a further one ends the oldest.
  static constexpr size_t kMaxSessions = 100;

  // `context` must outlive this.
  explicit SignIns(PeopleContext& context)
      : context_(context),
        decoy_(context.hasher.Decoy(context.random)),
        callers_(context.clock),
        unknown_(context.clock) {}

  //   UNAUTHENTICATED     no such account, disabled, or another password or secret: all alike
  //   RESOURCE_EXHAUSTED  account or caller has to wait
  absl::StatusOr<v1::SignInResponse> SignIn(const Caller& caller, const v1::SignInRequest& request);
  // For whom the company's OpenID Connect provider has named, which the caller has verified. Tries at the
  // account's password neither count nor end here.
  //   UNAUTHENTICATED     no enabled account is linked to this person
  //   RESOURCE_EXHAUSTED  the account has to wait
  absl::StatusOr<v1::CompleteOpenIdSignInResponse> SignInLinked(const Caller& caller,
                                                                absl::string_view issuer,
                                                                absl::string_view subject);
  // Leaves a leaf of a sign-in through the provider that came to nothing. `account` is empty when none is
  // known.
  absl::Status RecordOpenIdRefusal(const Caller& caller, absl::string_view account);
  // FAILED_PRECONDITION without a session.
  absl::StatusOr<v1::SignOutResponse> SignOut(const Caller& caller);

 private:
  absl::StatusOr<v1::SignInResponse> WithPassword(const Caller& caller, const v1::SignInRequest& request);
  absl::StatusOr<v1::SignInResponse> WithSecret(const Caller& caller, const v1::SignInRequest& request);
  // The hash to verify: that of the account, or the decoy.
  absl::StatusOr<std::string> BeginTry(const std::string& account);
  absl::Status Refuse(const Caller& caller, const std::string& account);
  absl::StatusOr<v1::SignInResponse> Accept(const Caller& caller, const v1::SignInRequest& request,
                                            const std::string& verified);
  // `act` is the leaf's.
  absl::StatusOr<v1::SignInResponse> Begin(const Caller& caller, const std::string& account, Role role,
                                           absl::Time latest, std::vector<store::Write> writes,
                                           absl::string_view act = "signed-in");

  PeopleContext& context_;
  const std::string decoy_;
  Lockout callers_;  // by certificate
  Lockout unknown_;  // accounts that do not exist
};

}  // namespace tsunagi::people
