// The people of a company in memory, with a clock that the test moves.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/crypto/digest.h"
#include "core/crypto/key.h"
#include "identity/people/people.h"
#include "tests/support/caller.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/temp_dir.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::people {

inline constexpr char kPassword[] = "correct horse battery";

// Whether a file under `folder` holds `text`.
inline bool IsInFiles(const std::string& folder, const std::string& text) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const absl::StatusOr<std::string> content = ReadFile(entry.path().string(), 64 << 20);
    if (content.ok() && content->find(text) != std::string::npos) return true;
  }
  return false;
}

struct PeopleForTest {
  explicit PeopleForTest(
      std::unique_ptr<store::Store> kept = store::NewMemoryStore(),
      const crypto::PrivateKey& log = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519),
      std::string sessions_at = "")
      : log_key(log), file(std::move(sessions_at)), store(std::move(kept)) {
    Restart();
  }

  // A new journal, table and people over the same store.
  void Restart(crypto::PasswordCost cost = crypto::kLeastPasswordCost) {
    people.reset();
    journal.reset();
    journal = audit::Journal::Open(*store, "oem.battery.example/node", log_key, random).value();
    sessions = std::make_unique<SessionTable>(clock);
    people = People::Open(*journal, clock, random, *sessions, session_file(), cost).value();
  }
  std::string session_file() const { return file.empty() ? folder.File("sessions") : file; }

  // The own operator with the certificate of `label`, with a session of `account` unless it is empty.
  static Caller Operator(const std::string& account = "", const std::string& label = "oem") {
    return CallerForTest::WithAccount(CallerForTest::Make("did:web:oem.example", label, "operator"), account);
  }

  absl::StatusOr<v1::CreateAccountResponse> TryCreate(const std::string& name, Role role,
                                                      const std::string& password = kPassword,
                                                      const Caller& caller = Operator()) {
    v1::CreateAccountRequest request;
    request.set_request_id(NewUuid(random));
    request.set_display_name(name);
    request.set_role(role);
    request.set_password(password);
    return people->accounts().Create(caller, request);
  }
  // The id of a new account; the first one is an administrator's, who creates the others.
  std::string Create(const std::string& name, Role role) {
    const std::string id = TryCreate(name, role, kPassword, Operator(administrator)).value().account().id();
    if (administrator.empty()) administrator = id;
    return id;
  }

  absl::StatusOr<v1::SignInResponse> SignIn(const std::string& account,
                                            const std::string& password = kPassword,
                                            const std::string& label = "oem") {
    v1::SignInRequest request;
    request.set_account(account);
    request.set_password(password);
    return people->sign_ins().SignIn(Operator("", label), request);
  }
  absl::StatusOr<v1::SignInResponse> SignInApp(const std::string& client, const std::string& secret) {
    v1::SignInRequest request;
    request.set_account(client);
    request.set_secret(secret);
    return people->sign_ins().SignIn(Operator(), request);
  }
  absl::StatusOr<Session> Use(const v1::SignInResponse& response) {
    return sessions->Use(response.session(), Operator().certificate_sha256());
  }

  absl::Status SetPassword(const Caller& caller, const std::string& account, const std::string& password,
                           const std::string& current = "") {
    v1::SetPasswordRequest request;
    request.set_request_id(NewUuid(random));
    request.set_account(account);
    request.set_password(password);
    request.set_current_password(current);
    return people->accounts().SetPassword(caller, request).status();
  }
  absl::Status SetRole(const std::string& account, Role role) {
    v1::SetRoleRequest request;
    request.set_request_id(NewUuid(random));
    request.set_account(account);
    request.set_role(role);
    return people->accounts().SetRole(Operator(administrator), request).status();
  }
  absl::Status Disable(const std::string& account, bool erase_name = false) {
    v1::DisableAccountRequest request;
    request.set_request_id(NewUuid(random));
    request.set_account(account);
    request.set_erase_name(erase_name);
    return people->accounts().Disable(Operator(administrator), request).status();
  }

  // Everything that the store holds outside table PERSON, keys and values.
  std::string OutsidePerson() const {
    std::string all;
    for (const store::Table table : {store::Table::kState, store::Table::kLog, store::Table::kRecords}) {
      store
          ->Scan(table, "", "",
                 [&](absl::string_view key, absl::string_view value) {
                   all.append(key.data(), key.size());
                   all.append(value.data(), value.size());
                   return true;
                 })
          .IgnoreError();
    }
    return all;
  }
  // The leaves as `<by> <act> <account> <role>`, oldest first.
  std::vector<std::string> Acts() const {
    std::vector<std::string> acts;
    const std::vector<audit::Journal::Leaf> leaves = journal->Leaves(0, 10000).value();
    for (const audit::Journal::Leaf& leaf : leaves) {
      audit::v1::Record record;
      (void)record.ParseFromString(leaf.record);
      acts.push_back(record.account() + " " + record.people().act() + " " + record.people().account() + " " +
                     record.people().role());
    }
    return acts;
  }

  testing::FakeClock clock;
  testing::FakeRandom random;
  testing::TempDir folder;
  const crypto::PrivateKey log_key;
  const std::string file;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<SessionTable> sessions;
  std::unique_ptr<audit::Journal> journal;
  std::unique_ptr<People> people;
  std::string administrator;
};

}  // namespace tsunagi::people
