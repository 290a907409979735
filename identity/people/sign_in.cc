#include "identity/people/sign_in.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/people/accounts.h"
#include "identity/people/clients.h"
#include "identity/people/links.h"
#include "identity/people/tries.h"

namespace tsunagi::people {
namespace {

using store::Put;
using store::Table;

constexpr size_t kTokenSize = 32;

absl::Status WrongAccountOrProof() {
  return absl::UnauthenticatedError("account, password or secret is wrong, or the account is disabled");
}

// A one-time password counts once, and not for ever.
absl::StatusOr<bool> PasswordCounts(const StoredAccount& account, absl::Time now) {
  if (!account.has_one_time_until()) return true;
  ASSIGN_OR_RETURN(const absl::Time until, FromProto(account.one_time_until()));
  return !account.one_time_used() && now < until;
}

}  // namespace

absl::StatusOr<v1::SignInResponse> SignIns::SignIn(const Caller& caller, const v1::SignInRequest& request) {
  if (request.account().empty() || request.account().size() > 64) {
    return InvalidArgument(
        {"ACCOUNT_INVALID", "account", request.account(), "the id of an account or API client"});
  }
  switch (request.proof_case()) {
    case v1::SignInRequest::kPassword:
      return WithPassword(caller, request);
    case v1::SignInRequest::kSecret:
      return WithSecret(caller, request);
    case v1::SignInRequest::PROOF_NOT_SET:
      break;
  }
  return InvalidArgument({"PROOF_MISSING", "proof", "", "`password` or `secret`"});
}

absl::StatusOr<v1::SignInResponse> SignIns::WithPassword(const Caller& caller,
                                                         const v1::SignInRequest& request) {
  if (request.password().size() > kMaxPassword) return WrongAccountOrProof();
  RETURN_IF_ERROR(callers_.Begin(caller.certificate_sha256()));
  ASSIGN_OR_RETURN(const std::string hash, BeginTry(request.account()));
  if (!crypto::PasswordHasher::Verify(request.password(), hash)) return Refuse(caller, request.account());
  return Accept(caller, request, hash);
}

absl::StatusOr<std::string> SignIns::BeginTry(const std::string& id) {
  MutexLock lock(context_.mutex);
  absl::StatusOr<StoredAccount> account = LoadAccount(context_.journal.store(), id);
  if (account.ok()) {
    RETURN_IF_ERROR(CountTry(context_, id, *account));
    return account->password_hash().empty() ? decoy_ : account->password_hash();
  }
  if (!absl::IsNotFound(account.status())) return account.status();
  RETURN_IF_ERROR(unknown_.Begin(id));
  // As long on disk as a known account's try.
  RETURN_IF_ERROR(Commit(context_, std::nullopt, {Put(Table::kState, DecoyKey(), decoy_)}));
  return decoy_;
}

absl::Status SignIns::Refuse(const Caller& caller, const std::string& id) {
  MutexLock lock(context_.mutex);
  // A leaf for accounts that exist: it is bounded by their waits, and ids that were made up stay out of the
  // log.
  std::optional<PeopleAct> act;
  if (LoadAccount(context_.journal.store(), id).ok())
    act = PeopleAct{"sign-in-refused", id, kNoRole, caller.account()};
  RETURN_IF_ERROR(Commit(context_, act, {Put(Table::kState, DecoyKey(), decoy_)}));
  return WrongAccountOrProof();
}

// `verified` is the hash that the password was compared with, while nobody held the account.
absl::StatusOr<v1::SignInResponse> SignIns::Accept(const Caller& caller, const v1::SignInRequest& request,
                                                   const std::string& verified) {
  {
    MutexLock lock(context_.mutex);
    ASSIGN_OR_RETURN(StoredAccount account, LoadAccount(context_.journal.store(), request.account()));
    ASSIGN_OR_RETURN(const bool counts, PasswordCounts(account, context_.clock.Now()));
    if (counts && !account.disabled() && account.password_hash() == verified) {
      if (context_.hasher.IsOutdated(verified)) {
        ASSIGN_OR_RETURN(*account.mutable_password_hash(), context_.hasher.Hash(request.password()));
      }
      ClearTries(account);
      if (account.has_one_time_until()) account.set_one_time_used(true);
      callers_.Succeeded(caller.certificate_sha256());
      return Begin(caller, request.account(), ActingRole(account), absl::InfiniteFuture(),
                   {Put(Table::kState, AccountKey(request.account()), Encode(account))});
    }
  }
  return Refuse(caller, request.account());
}

absl::StatusOr<v1::SignInResponse> SignIns::WithSecret(const Caller& caller,
                                                       const v1::SignInRequest& request) {
  MutexLock lock(context_.mutex);
  const absl::StatusOr<StoredClient> client = LoadClient(context_.journal.store(), request.account());
  if (!client.ok() && !absl::IsNotFound(client.status())) return client.status();
  const StoredClient& known = client.ok() ? *client : StoredClient();
  ASSIGN_OR_RETURN(const bool valid, HasSecret(known, request.secret(), context_.clock.Now()));
  // 256 random bits are not guessed: no wait, and no leaf that a flood of wrong ones could write.
  if (!valid) return WrongAccountOrProof();
  absl::Time latest = absl::InfiniteFuture();
  if (known.has_expire_time()) {
    ASSIGN_OR_RETURN(latest, FromProto(known.expire_time()));
  }
  return Begin(caller, request.account(), known.role(), latest, {});
}

// The context's mutex is held.
absl::StatusOr<v1::SignInResponse> SignIns::Begin(const Caller& caller, const std::string& account, Role role,
                                                  absl::Time latest, std::vector<store::Write> writes,
                                                  absl::string_view act) {
  const absl::Time now = context_.clock.Now();
  const std::string token = context_.random.Bytes(kTokenSize);
  const Session session = {crypto::Sha256(token),
                           account,
                           role,
                           caller.certificate_sha256(),
                           now,
                           std::min(now + kSessionLife, latest),
                           now,
                           now};
  writes.push_back(Put(Table::kState, SessionKey(account, session.digest), Encode(ToStored(session))));
  ASSIGN_OR_RETURN(std::vector<Session> earlier, LoadSessions(context_.journal.store(), account));
  std::sort(earlier.begin(), earlier.end(),
            [](const Session& a, const Session& b) { return a.opened > b.opened; });
  std::vector<std::string> ended;
  for (size_t i = 0; i < earlier.size(); ++i) {
    if (i + 1 < kMaxSessions && now < earlier[i].expires) continue;
    writes.push_back(store::Delete(Table::kState, SessionKey(account, earlier[i].digest)));
    ended.push_back(earlier[i].digest);
  }
  RETURN_IF_ERROR(Commit(context_, PeopleAct{act, account, role, account}, std::move(writes)));
  for (const std::string& digest : ended) context_.sessions.Remove(digest);
  context_.sessions.Put(session);
  RETURN_IF_ERROR(Publish(context_));
  v1::SignInResponse response;
  response.set_session(ToBase64Url(token));
  *response.mutable_expire_time() = ToProto(session.expires);
  response.set_role(role);
  return response;
}

absl::StatusOr<v1::CompleteOpenIdSignInResponse> SignIns::SignInLinked(const Caller& caller,
                                                                       absl::string_view issuer,
                                                                       absl::string_view subject) {
  MutexLock lock(context_.mutex);
  ASSIGN_OR_RETURN(const std::string id, FindLinked(context_.journal.store(), issuer, subject));
  if (id.empty()) {
    RETURN_IF_ERROR(RecordOpenIdRefusal(caller, id));
    return absl::UnauthenticatedError(
        "no account is linked to whom the provider named, or it is disabled: ask an administrator");
  }
  ASSIGN_OR_RETURN(const StoredAccount account, LoadAccount(context_.journal.store(), id));
  if (account.has_locked_until()) {
    ASSIGN_OR_RETURN(const absl::Time locked_until, FromProto(account.locked_until()));
    if (const absl::Status locked = CheckLocked(locked_until, context_.clock.Now()); !locked.ok()) {
      RETURN_IF_ERROR(RecordOpenIdRefusal(caller, id));
      return locked;
    }
  }
  ASSIGN_OR_RETURN(const v1::SignInResponse begun,
                   Begin(caller, id, account.role(), absl::InfiniteFuture(), {}, "openid-signed-in"));
  v1::CompleteOpenIdSignInResponse response;
  response.set_session(begun.session());
  *response.mutable_expire_time() = begun.expire_time();
  response.set_role(begun.role());
  response.set_account(id);
  return response;
}

absl::Status SignIns::RecordOpenIdRefusal(const Caller& caller, absl::string_view account) {
  return Commit(context_, PeopleAct{"openid-refused", account, kNoRole, caller.account()}, {});
}

absl::StatusOr<v1::SignOutResponse> SignIns::SignOut(const Caller& caller) {
  if (caller.session().empty()) return absl::FailedPreconditionError("the call carries no session to end");
  MutexLock lock(context_.mutex);
  RETURN_IF_ERROR(Commit(context_, PeopleAct{"signed-out", caller.account(), kNoRole, caller.account()},
                         {store::Delete(Table::kState, SessionKey(caller.account(), caller.session()))}));
  context_.sessions.Remove(caller.session());
  RETURN_IF_ERROR(Publish(context_));
  return v1::SignOutResponse();
}

}  // namespace tsunagi::people
