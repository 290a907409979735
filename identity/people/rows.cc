#include "identity/people/rows.h"

#include <future>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/digest.h"
#include "core/store/key.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::people {
namespace {

using store::Key;
using store::KeyReader;
using store::Table;

constexpr size_t kMaxName = 200;
constexpr int kMaxPage = 1000;
constexpr int kDefaultPage = 100;
constexpr size_t kIdLength = 10;
// No i, l, o or u: read aloud and typed without mistakes.
constexpr absl::string_view kIdAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";

template <class Row>
absl::StatusOr<Row> Load(const store::Store& store, const std::string& key, absl::string_view kind,
                         absl::string_view id) {
  const absl::StatusOr<std::string> bytes = store.Get(Table::kState, key);
  if (absl::IsNotFound(bytes.status())) {
    return absl::NotFoundError(absl::StrCat("no ", kind, " `", Printable(id, 64), "` is here"));
  }
  RETURN_IF_ERROR(bytes.status());
  Row row;
  RETURN_IF_ERROR(Decode(*bytes, absl::StrCat("stored ", kind), row));
  return row;
}

template <class Row>
absl::Status ForEach(const store::Store& store, const std::string& prefix, const std::string& start,
                     const std::function<bool(const std::string&, const Row&)>& visit) {
  absl::Status broken;
  RETURN_IF_ERROR(
      store.Scan(Table::kState, prefix, start, [&](absl::string_view key, absl::string_view value) {
        KeyReader reader(key);
        absl::StatusOr<std::string> id = reader.Str();  // the kind
        if (id.ok()) id = reader.Str();
        Row row;
        broken = id.ok() ? Decode(value, "stored account", row) : id.status();
        return broken.ok() && visit(*id, row);
      }));
  return broken;
}

}  // namespace

std::string AccountKey(absl::string_view id) { return Key("account").Str(id); }
std::string ClientKey(absl::string_view id) { return Key("client").Str(id); }
std::string SessionKey(absl::string_view account, absl::string_view digest) {
  return Key("session").Str(account).Str(digest);
}
std::string NameKey(absl::string_view id) { return Key("account-name").Str(id); }
std::string DecoyKey() { return Key("account-unknown"); }

absl::StatusOr<StoredAccount> LoadAccount(const store::Store& store, absl::string_view id) {
  return Load<StoredAccount>(store, AccountKey(id), "account", id);
}

absl::StatusOr<StoredClient> LoadClient(const store::Store& store, absl::string_view id) {
  return Load<StoredClient>(store, ClientKey(id), "API client", id);
}

absl::StatusOr<std::string> LoadName(const store::Store& store, absl::string_view id) {
  absl::StatusOr<std::string> name = store.Get(Table::kPerson, NameKey(id));
  if (absl::IsNotFound(name.status())) return "";
  return name;
}

absl::Status ForEachAccount(const store::Store& store, absl::string_view start,
                            const std::function<bool(const std::string&, const StoredAccount&)>& visit) {
  return ForEach<StoredAccount>(store, Key("account").bytes(), start.empty() ? "" : AccountKey(start), visit);
}

absl::Status ForEachClient(const store::Store& store, absl::string_view start,
                           const std::function<bool(const std::string&, const StoredClient&)>& visit) {
  return ForEach<StoredClient>(store, Key("client").bytes(), start.empty() ? "" : ClientKey(start), visit);
}

absl::StatusOr<std::vector<Session>> LoadSessions(const store::Store& store, absl::string_view account) {
  std::vector<Session> sessions;
  absl::Status broken;
  const std::string prefix = (account.empty() ? Key("session") : Key("session").Str(account)).bytes();
  RETURN_IF_ERROR(store.Scan(Table::kState, prefix, "", [&](absl::string_view, absl::string_view value) {
    internal::v1::StoredSession stored;
    broken = Decode(value, "stored session", stored);
    if (!broken.ok()) return false;
    absl::StatusOr<Session> session = FromStored(stored);
    broken = session.status();
    if (session.ok()) sessions.push_back(*std::move(session));
    return broken.ok();
  }));
  RETURN_IF_ERROR(broken);
  return sessions;
}

absl::StatusOr<std::string> NewId(const PeopleContext& context, absl::string_view prefix) {
  while (true) {
    std::string id = absl::StrCat(prefix, "-");
    for (const char byte : context.random.Bytes(kIdLength)) {
      id += kIdAlphabet[static_cast<unsigned char>(byte) % kIdAlphabet.size()];
    }
    const absl::StatusOr<std::string> account = context.journal.store().Get(Table::kState, AccountKey(id));
    const absl::StatusOr<std::string> client = context.journal.store().Get(Table::kState, ClientKey(id));
    if (absl::IsNotFound(account.status()) && absl::IsNotFound(client.status())) return id;
    if (!account.ok() && !absl::IsNotFound(account.status())) return account.status();
    if (!client.ok() && !absl::IsNotFound(client.status())) return client.status();
  }
}

absl::Status CheckDisplayName(absl::string_view name) {
  if (!name.empty() && name.size() <= kMaxName && IsOneLine(name)) return absl::OkStatus();
  return InvalidArgument({"DISPLAY_NAME_INVALID", "display_name", "(not shown)",
                          absl::StrCat("1 to ", kMaxName, " bytes of text on one line")});
}

absl::Status CheckRole(Role role) {
  if (!RoleWord(role).empty()) return absl::OkStatus();
  return InvalidArgument({"ROLE_INVALID", "role", absl::StrCat(static_cast<int>(role)),
                          "viewer, auditor, operator or administrator"});
}

absl::StatusOr<int> PageSize(int32_t page_size) {
  if (page_size >= 0 && page_size <= kMaxPage) return page_size == 0 ? kDefaultPage : page_size;
  return InvalidArgument({"PAGE_SIZE_INVALID", "page_size", absl::StrCat(page_size), "0 to 1000"});
}

absl::StatusOr<Role> RoleOf(const PeopleContext& context, const Caller& caller) {
  if (caller.account().empty()) {
    if (!context.sessions.required()) return kAdministrator;
    return absl::PermissionDeniedError("accounts are in use here: sign in first");
  }
  const absl::StatusOr<StoredAccount> account = LoadAccount(context.journal.store(), caller.account());
  if (account.ok()) return ActingRole(*account);
  if (!absl::IsNotFound(account.status())) return account.status();
  ASSIGN_OR_RETURN(const StoredClient client, LoadClient(context.journal.store(), caller.account()));
  return client.role();
}

audit::RequestKey RememberedAs(const Caller& caller, absl::string_view method, absl::string_view request_id,
                               const google::protobuf::Message& request) {
  return {caller.did(), method, request_id, crypto::Sha256(Encode(request))};
}

absl::Status EndSessions(const store::Store& store, absl::string_view account,
                         std::vector<store::Write>& writes) {
  ASSIGN_OR_RETURN(const std::vector<Session> sessions, LoadSessions(store, account));
  for (const Session& session : sessions) {
    writes.push_back(store::Delete(Table::kState, SessionKey(account, session.digest)));
  }
  return absl::OkStatus();
}

std::string EncodeAct(const PeopleAct& act, absl::Time time) {
  audit::v1::Record record;
  *record.mutable_time() = ToProto(time);
  record.set_account(act.by);
  record.mutable_people()->set_act(std::string(act.act));
  record.mutable_people()->set_account(std::string(act.account));
  record.mutable_people()->set_role(std::string(RoleWord(act.role)));
  return Encode(record);
}

absl::Status Commit(PeopleContext& context, const std::optional<PeopleAct>& act,
                    std::vector<store::Write> writes) {
  audit::Commit commit;
  commit.version = context.journal.Version();
  commit.writes = std::move(writes);
  if (act.has_value()) commit.record = EncodeAct(*act, context.clock.Now());
  return context.journal.SubmitAndWait(std::move(commit)).status();
}

absl::Status CommitErasure(PeopleContext& context, const PeopleAct& act, std::vector<store::Write> writes) {
  audit::Commit commit;
  commit.version = context.journal.Version();
  commit.writes = std::move(writes);
  commit.record = EncodeAct(act, context.clock.Now());
  auto erased = std::make_shared<std::promise<absl::Status>>();
  context.journal.SubmitErasure(std::move(commit), [erased](absl::StatusOr<audit::Committed> committed) {
    erased->set_value(committed.status());
  });
  return erased->get_future().get();
}

absl::Status Publish(const PeopleContext& context) {
  const absl::Status written =
      WriteFileAtomically(context.session_file, Encode(context.sessions.Show()), 0600);
  if (written.ok()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "done here, but the participant's other processes could not be told: ", written.message()));
}

}  // namespace tsunagi::people
