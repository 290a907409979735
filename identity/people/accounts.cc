#include "identity/people/accounts.h"

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/people/links.h"
#include "identity/people/lockout.h"
#include "identity/people/tries.h"

namespace tsunagi::people {
namespace {

using store::Put;
using store::Table;

// How many accounts there are, and how many of them are administrators that can sign in whatever becomes of
// the OpenID Connect provider.
struct Count {
  int accounts = 0;
  int administrators = 0;
};

bool IsSureAdministrator(const StoredAccount& account) {
  return !account.disabled() && account.role() == kAdministrator && !account.password_hash().empty();
}

absl::StatusOr<Count> CountAccounts(const store::Store& store) {
  Count count;
  RETURN_IF_ERROR(ForEachAccount(store, "", [&](const std::string&, const StoredAccount& account) {
    ++count.accounts;
    if (IsSureAdministrator(account)) ++count.administrators;
    return true;
  }));
  return count;
}

absl::Status CheckNotLast(const store::Store& store, const StoredAccount& account) {
  if (!IsSureAdministrator(account)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Count count, CountAccounts(store));
  if (count.administrators > 1) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the last administrator with a password stays: create or appoint another one first");
}

absl::Status CheckEnabled(const StoredAccount& account, absl::string_view id) {
  if (!account.disabled()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("account `", id, "` is disabled for good: create a new one"));
}

// The administrator to reset: `id`, or the only one there is.
absl::StatusOr<std::string> AdministratorToReset(const store::Store& store, const std::string& id) {
  std::vector<std::string> administrators;
  RETURN_IF_ERROR(ForEachAccount(store, "", [&](const std::string& one, const StoredAccount& account) {
    if (!account.disabled() && account.role() == kAdministrator) administrators.push_back(one);
    return true;
  }));
  if (administrators.empty()) {
    return absl::FailedPreconditionError(
        "no administrator has an account here: the operator's certificate alone has every right");
  }
  const bool known = std::find(administrators.begin(), administrators.end(), id) != administrators.end();
  if (known) return id;
  if (id.empty() && administrators.size() == 1) return administrators[0];
  return absl::FailedPreconditionError(
      absl::StrCat("account `", id, "`: expected an administrator that is not disabled, which are `",
                   absl::StrJoin(administrators, "`, `"), "`"));
}

absl::StatusOr<v1::CreateAccountResponse> CreatedBefore(absl::string_view bytes) {
  v1::CreateAccountResponse response;
  RETURN_IF_ERROR(Decode(bytes, "stored reply", response));
  return response;
}

// What is digested of a request: neither password nor name.
v1::CreateAccountRequest WithoutSecrets(v1::CreateAccountRequest request) {
  request.clear_password();
  request.clear_display_name();
  request.clear_openid_subject();
  return request;
}

v1::LinkAccountRequest WithoutSecrets(v1::LinkAccountRequest request) {
  request.clear_subject();
  return request;
}

absl::Status CheckMayAdd(const v1::CreateAccountRequest& request, const Count& count) {
  if (count.accounts >= kMaxAccounts) {
    return absl::FailedPreconditionError(absl::StrCat("there are ", kMaxAccounts, " accounts: no more fit"));
  }
  if (count.administrators > 0) return absl::OkStatus();
  if (request.role() != kAdministrator) {
    return absl::FailedPreconditionError("the first account must be an administrator's");
  }
  if (!request.password().empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the first account needs a password, so that somebody gets in when the OpenID Connect provider does "
      "not");
}

v1::SetPasswordRequest WithoutSecrets(v1::SetPasswordRequest request) {
  request.clear_password();
  request.clear_current_password();
  return request;
}

}  // namespace

absl::Status CheckPassword(absl::string_view password, absl::string_view id, absl::string_view name) {
  const auto bad = [](absl::string_view reason, absl::string_view expected) {
    return InvalidArgument({reason, "password", "(not shown)", expected});
  };
  if (password.size() < kMinPassword || password.size() > kMaxPassword) {
    return bad("PASSWORD_LENGTH_INVALID",
               absl::StrCat(kMinPassword, " to ", kMaxPassword, " bytes, such as four words"));
  }
  const std::string lower = absl::AsciiStrToLower(password);
  for (const absl::string_view part : {id, name}) {
    if (!part.empty() && absl::StrContains(lower, absl::AsciiStrToLower(part))) {
      return bad("PASSWORD_HAS_NAME", "one that does not contain the account's id or name");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Account> ShowAccount(const store::Store& store, const std::string& id,
                                        const StoredAccount& stored) {
  v1::Account account;
  account.set_id(id);
  ASSIGN_OR_RETURN(*account.mutable_display_name(), LoadName(store, id));
  account.set_role(stored.role());
  account.set_disabled(stored.disabled());
  *account.mutable_create_time() = stored.create_time();
  if (stored.has_locked_until()) *account.mutable_locked_until() = stored.locked_until();
  account.set_has_password(!stored.password_hash().empty());
  ASSIGN_OR_RETURN(const std::optional<StoredOpenIdLink> link, LoadLink(store, id));
  if (link.has_value()) {
    account.mutable_openid()->set_issuer(link->issuer());
    account.mutable_openid()->set_subject(link->subject());
  }
  return account;
}

absl::StatusOr<v1::CreateAccountResponse> Accounts::Create(const Caller& caller,
                                                           const v1::CreateAccountRequest& request,
                                                           absl::string_view issuer) {
  MutexLock lock(context_.mutex);
  const audit::RequestKey remembered =
      RememberedAs(caller, "CreateAccount", request.request_id(), WithoutSecrets(request));
  ASSIGN_OR_RETURN(const auto replied, audit::FindReply(context_.journal.store(), remembered));
  if (!replied.has_value()) return Add(caller, request, issuer, remembered);
  RETURN_IF_ERROR(Publish(context_));
  return CreatedBefore(*replied);
}

absl::StatusOr<v1::CreateAccountResponse> Accounts::Add(const Caller& caller,
                                                        const v1::CreateAccountRequest& request,
                                                        absl::string_view issuer,
                                                        const audit::RequestKey& remembered) {
  const store::Store& store = context_.journal.store();
  RETURN_IF_ERROR(CheckDisplayName(request.display_name()));
  RETURN_IF_ERROR(CheckRole(request.role()));
  if (request.openid_subject().empty() || !request.password().empty()) {
    RETURN_IF_ERROR(CheckPassword(request.password(), "", request.display_name()));
  }
  // Two first accounts at once: the Guard let both through.
  RETURN_IF_ERROR(RoleOf(context_, caller).status());
  ASSIGN_OR_RETURN(const Count count, CountAccounts(store));
  RETURN_IF_ERROR(CheckMayAdd(request, count));
  ASSIGN_OR_RETURN(const std::string id, NewId(context_, "a"));
  StoredAccount account;
  account.set_role(request.role());
  if (!request.password().empty()) {
    ASSIGN_OR_RETURN(*account.mutable_password_hash(), context_.hasher.Hash(request.password()));
  }
  *account.mutable_create_time() = ToProto(context_.clock.Now());
  v1::CreateAccountResponse response;
  ASSIGN_OR_RETURN(*response.mutable_account(), ShowAccount(store, id, account));

  std::vector<store::Write> writes = {Put(Table::kState, AccountKey(id), Encode(account)),
                                      Put(Table::kPerson, NameKey(id), request.display_name())};
  if (!request.openid_subject().empty()) {
    RETURN_IF_ERROR(PutLink(id, issuer, request.openid_subject(), writes));
  }
  // Still without name and link, which are kept in one erasable place.
  audit::RememberReply(remembered, Encode(response), context_.clock.Now(), writes);
  RETURN_IF_ERROR(Commit(context_, PeopleAct{"account-created", id, account.role(), caller.account()},
                         std::move(writes)));
  if (account.role() == kAdministrator) context_.sessions.SetRequired();
  RETURN_IF_ERROR(Publish(context_));
  ASSIGN_OR_RETURN(*response.mutable_account(), ShowAccount(store, id, account));
  return response;
}

absl::Status Accounts::CheckMaySet(const Caller& caller, const v1::SetPasswordRequest& request,
                                   StoredAccount& account) {
  if (caller.account() != request.account()) {
    ASSIGN_OR_RETURN(const Role role, RoleOf(context_, caller));
    if (role == kAdministrator) return absl::OkStatus();
    return absl::PermissionDeniedError("only an administrator sets another account's password");
  }
  RETURN_IF_ERROR(CountTry(context_, request.account(), account));
  if (!crypto::PasswordHasher::Verify(request.current_password(), account.password_hash())) {
    return absl::UnauthenticatedError("`current_password` is wrong");
  }
  ClearTries(account);
  return absl::OkStatus();
}

absl::StatusOr<v1::SetPasswordResponse> Accounts::SetPassword(const Caller& caller,
                                                              const v1::SetPasswordRequest& request) {
  MutexLock lock(context_.mutex);
  const store::Store& store = context_.journal.store();
  const audit::RequestKey remembered =
      RememberedAs(caller, "SetPassword", request.request_id(), WithoutSecrets(request));
  ASSIGN_OR_RETURN(const auto replied, audit::FindReply(store, remembered));
  if (replied.has_value()) {
    RETURN_IF_ERROR(Publish(context_));
    return v1::SetPasswordResponse();
  }
  ASSIGN_OR_RETURN(StoredAccount account, LoadAccount(store, request.account()));
  RETURN_IF_ERROR(CheckEnabled(account, request.account()));
  ASSIGN_OR_RETURN(const std::string name, LoadName(store, request.account()));
  RETURN_IF_ERROR(CheckPassword(request.password(), request.account(), name));
  RETURN_IF_ERROR(CheckMaySet(caller, request, account));
  ASSIGN_OR_RETURN(*account.mutable_password_hash(), context_.hasher.Hash(request.password()));
  account.clear_one_time_until();
  account.clear_one_time_used();
  RETURN_IF_ERROR(
      Change({"password-set", request.account(), kNoRole, caller.account()}, account, remembered));
  return v1::SetPasswordResponse();
}

absl::StatusOr<std::string> Accounts::ResetPassword(const std::string& id, absl::string_view password) {
  MutexLock lock(context_.mutex);
  const store::Store& store = context_.journal.store();
  ASSIGN_OR_RETURN(const std::string account_id, AdministratorToReset(store, id));
  ASSIGN_OR_RETURN(StoredAccount account, LoadAccount(store, account_id));
  ASSIGN_OR_RETURN(*account.mutable_password_hash(), context_.hasher.Hash(password));
  *account.mutable_one_time_until() = ToProto(context_.clock.Now() + kOneTimeLife);
  account.clear_one_time_used();
  ClearTries(account);
  std::vector<store::Write> writes = {Put(Table::kState, AccountKey(account_id), Encode(account))};
  RETURN_IF_ERROR(EndSessions(store, account_id, writes));
  RETURN_IF_ERROR(Commit(context_, PeopleAct{"password-reset", account_id, kNoRole, ""}, std::move(writes)));
  context_.sessions.RemoveAllOf(account_id);
  RETURN_IF_ERROR(Publish(context_));
  return account_id;
}

absl::StatusOr<v1::SetRoleResponse> Accounts::SetRole(const Caller& caller,
                                                      const v1::SetRoleRequest& request) {
  MutexLock lock(context_.mutex);
  const store::Store& store = context_.journal.store();
  const audit::RequestKey remembered = RememberedAs(caller, "SetRole", request.request_id(), request);
  ASSIGN_OR_RETURN(const auto replied, audit::FindReply(store, remembered));
  if (replied.has_value()) {
    RETURN_IF_ERROR(Publish(context_));
    return v1::SetRoleResponse();
  }
  RETURN_IF_ERROR(CheckRole(request.role()));
  ASSIGN_OR_RETURN(StoredAccount account, LoadAccount(store, request.account()));
  RETURN_IF_ERROR(CheckEnabled(account, request.account()));
  if (request.role() != kAdministrator) RETURN_IF_ERROR(CheckNotLast(store, account));
  account.set_role(request.role());
  RETURN_IF_ERROR(
      Change({"role-set", request.account(), account.role(), caller.account()}, account, remembered));
  return v1::SetRoleResponse();
}

absl::StatusOr<v1::DisableAccountResponse> Accounts::Disable(const Caller& caller,
                                                             const v1::DisableAccountRequest& request) {
  MutexLock lock(context_.mutex);
  const store::Store& store = context_.journal.store();
  const audit::RequestKey remembered = RememberedAs(caller, "DisableAccount", request.request_id(), request);
  ASSIGN_OR_RETURN(const auto replied, audit::FindReply(store, remembered));
  ASSIGN_OR_RETURN(StoredAccount account, LoadAccount(store, request.account()));
  if (replied.has_value() || account.disabled()) {
    RETURN_IF_ERROR(Publish(context_));
  } else {
    RETURN_IF_ERROR(CheckNotLast(store, account));
    account.set_disabled(true);
    RETURN_IF_ERROR(
        Change({"account-disabled", request.account(), kNoRole, caller.account()}, account, remembered));
  }
  // After the other commit, and again when the request comes again: a crash may have come between.
  if (request.erase_name()) RETURN_IF_ERROR(EraseName(caller, request.account()));
  return v1::DisableAccountResponse();
}

absl::Status Accounts::EraseName(const Caller& caller, const std::string& id) {
  std::vector<store::Write> deletions;
  for (const std::string& key : {NameKey(id), LinkKey(id)}) {
    const absl::StatusOr<std::string> kept = context_.journal.store().Get(Table::kPerson, key);
    if (kept.ok()) deletions.push_back(store::Delete(Table::kPerson, key));
    if (!kept.ok() && !absl::IsNotFound(kept.status())) return kept.status();
  }
  if (deletions.empty()) return absl::OkStatus();
  return CommitErasure(context_, {"name-erased", id, kNoRole, caller.account()}, std::move(deletions));
}

absl::Status Accounts::PutLink(const std::string& id, absl::string_view issuer, absl::string_view subject,
                               std::vector<store::Write>& writes) const {
  if (issuer.empty()) {
    return absl::FailedPreconditionError(
        "no OpenID Connect provider is configured here: set `openid_provider` and start again");
  }
  StoredOpenIdLink link;
  link.set_issuer(std::string(issuer));
  link.set_subject(std::string(subject));
  RETURN_IF_ERROR(CheckLink(context_.journal.store(), id, link));
  writes.push_back(Put(Table::kPerson, LinkKey(id), Encode(link)));
  return absl::OkStatus();
}

absl::StatusOr<v1::LinkAccountResponse> Accounts::Link(const Caller& caller,
                                                       const v1::LinkAccountRequest& request,
                                                       absl::string_view issuer) {
  MutexLock lock(context_.mutex);
  const store::Store& store = context_.journal.store();
  const audit::RequestKey remembered =
      RememberedAs(caller, "LinkAccount", request.request_id(), WithoutSecrets(request));
  ASSIGN_OR_RETURN(const auto replied, audit::FindReply(store, remembered));
  if (replied.has_value()) {
    RETURN_IF_ERROR(Publish(context_));
    return v1::LinkAccountResponse();
  }
  ASSIGN_OR_RETURN(StoredAccount account, LoadAccount(store, request.account()));
  RETURN_IF_ERROR(CheckEnabled(account, request.account()));
  if (request.drop_password()) {
    RETURN_IF_ERROR(CheckNotLast(store, account));
    account.clear_password_hash();
    ClearTries(account);
  }
  const bool ends = request.subject().empty();
  if (ends && account.password_hash().empty()) {
    return absl::FailedPreconditionError(
        "without link and password nobody could sign in: set a password first, or disable the account");
  }
  std::vector<store::Write> person;
  if (ends) {
    person.push_back(store::Delete(Table::kPerson, LinkKey(request.account())));
  } else {
    RETURN_IF_ERROR(PutLink(request.account(), issuer, request.subject(), person));
  }
  RETURN_IF_ERROR(
      Change({ends ? "account-unlinked" : "account-linked", request.account(), kNoRole, caller.account()},
             account, remembered, std::move(person)));
  return v1::LinkAccountResponse();
}

absl::Status Accounts::Change(const PeopleAct& act, const StoredAccount& account,
                              const audit::RequestKey& remembered, std::vector<store::Write> person) {
  const bool erases = !person.empty();
  std::vector<store::Write> writes = std::move(person);
  writes.push_back(Put(Table::kState, AccountKey(act.account), Encode(account)));
  RETURN_IF_ERROR(EndSessions(context_.journal.store(), act.account, writes));
  audit::RememberReply(remembered, "", context_.clock.Now(), writes);
  RETURN_IF_ERROR(erases ? CommitErasure(context_, act, std::move(writes))
                         : Commit(context_, act, std::move(writes)));
  context_.sessions.RemoveAllOf(act.account);
  if (account.role() == kAdministrator && !account.disabled()) context_.sessions.SetRequired();
  return Publish(context_);
}

absl::StatusOr<v1::ListAccountsResponse> Accounts::List(const v1::ListAccountsRequest& request) const {
  ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  v1::ListAccountsResponse response;
  absl::Status broken;
  RETURN_IF_ERROR(ForEachAccount(context_.journal.store(), request.page_token(),
                                 [&](const std::string& id, const StoredAccount& stored) {
                                   if (response.accounts_size() == page_size) {
                                     response.set_next_page_token(id);
                                     return false;
                                   }
                                   absl::StatusOr<v1::Account> shown =
                                       ShowAccount(context_.journal.store(), id, stored);
                                   broken = shown.status();
                                   if (shown.ok()) *response.add_accounts() = *std::move(shown);
                                   return broken.ok();
                                 }));
  RETURN_IF_ERROR(broken);
  return response;
}

}  // namespace tsunagi::people
