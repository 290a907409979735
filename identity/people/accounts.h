// Accounts of a company's people.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "identity/people/rows.h"

namespace tsunagi::people {

inline constexpr int kMaxAccounts = 1000;
inline constexpr size_t kMinPassword = 12;
inline constexpr size_t kMaxPassword = 1024;
inline constexpr absl::Duration kOneTimeLife = absl::Hours(24);

// INVALID_ARGUMENT, without the value, unless it has 12 to 1,024 bytes and contains neither `id` nor `name`
// (capital letters alike).
absl::Status CheckPassword(absl::string_view password, absl::string_view id, absl::string_view name);

// Each change is one leaf and durable before it is answered; the same request_id gives the same answer,
// without the name. Blocks, and hashes passwords: never on a handler's thread. Thread-safe.
class Accounts {
 public:
  // `context` must outlive the accounts.
  explicit Accounts(PeopleContext& context) : context_(context) {}

  // `issuer` is that of the company's OpenID Connect provider; empty when there is none.
  //   FAILED_PRECONDITION  the first account is not an administrator's with a password, there are 1,000, or
  //                        a subject is given without issuer
  //   ALREADY_EXISTS       another account is linked to the subject
  //   PERMISSION_DENIED    without session once an administrator exists
  absl::StatusOr<v1::CreateAccountResponse> Create(const Caller& caller,
                                                   const v1::CreateAccountRequest& request,
                                                   absl::string_view issuer = "");
  //   UNAUTHENTICATED      the own current password is wrong
  //   RESOURCE_EXHAUSTED   the own account has to wait
  //   PERMISSION_DENIED    another's account, and the caller is no administrator
  //   FAILED_PRECONDITION  the account is disabled
  absl::StatusOr<v1::SetPasswordResponse> SetPassword(const Caller& caller,
                                                      const v1::SetPasswordRequest& request);
  //   FAILED_PRECONDITION  the last administrator, or the account is disabled
  absl::StatusOr<v1::SetRoleResponse> SetRole(const Caller& caller, const v1::SetRoleRequest& request);
  // `issuer` as for Create.
  //   FAILED_PRECONDITION  there is no issuer, the account is disabled, it would have neither password nor
  //                        link, or the last administrator would have no password
  //   ALREADY_EXISTS       another account is linked to the subject
  absl::StatusOr<v1::LinkAccountResponse> Link(const Caller& caller, const v1::LinkAccountRequest& request,
                                               absl::string_view issuer);
  //   FAILED_PRECONDITION  the last administrator
  absl::StatusOr<v1::DisableAccountResponse> Disable(const Caller& caller,
                                                     const v1::DisableAccountRequest& request);
  absl::StatusOr<v1::ListAccountsResponse> List(const v1::ListAccountsRequest& request) const;

  // For whoever has the process's folder, while it is stopped: gives administrator `id`, or the only one when
  // empty, `password` as a one-time password for kOneTimeLife, and ends its sessions. It opens one session,
  // as a viewer, in which the person sets a new one. The account's id. FAILED_PRECONDITION naming those that
  // it could be.
  absl::StatusOr<std::string> ResetPassword(const std::string& id, absl::string_view password);

 private:
  absl::StatusOr<v1::CreateAccountResponse> Add(const Caller& caller, const v1::CreateAccountRequest& request,
                                                absl::string_view issuer,
                                                const audit::RequestKey& remembered);
  absl::Status CheckMaySet(const Caller& caller, const v1::SetPasswordRequest& request,
                           StoredAccount& account);
  absl::Status EraseName(const Caller& caller, const std::string& id);
  // Checks and makes the writes of a first link or of a changed one.
  absl::Status PutLink(const std::string& id, absl::string_view issuer, absl::string_view subject,
                       std::vector<store::Write>& writes) const;
  // Commits the changed account with `person`, writes of table PERSON, and ends its sessions.
  absl::Status Change(const PeopleAct& act, const StoredAccount& account, const audit::RequestKey& remembered,
                      std::vector<store::Write> person = {});

  PeopleContext& context_;
};

// INVALID_ARGUMENT-free view of an account for people.
absl::StatusOr<v1::Account> ShowAccount(const store::Store& store, const std::string& id,
                                        const StoredAccount& stored);

}  // namespace tsunagi::people
