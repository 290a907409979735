#include "identity/people/accounts.h"

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/people/people_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::people {
namespace {

using ::testing::ElementsAre;
using testing::HasSubstr;
using testing::IsOk;
using testing::Not;
using testing::StatusIs;

constexpr char kOther[] = "another long password";

TEST(AccountsTest, BeginWithAnAdministrator) {
  PeopleForTest test;
  EXPECT_THAT(test.TryCreate("Sato", kOperator), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_FALSE(test.sessions->required());

  ASSERT_THAT(test.TryCreate("Sato", kAdministrator), IsOk());

  EXPECT_TRUE(test.sessions->required());
}

TEST(AccountsTest, AreCreatedWithoutSessionOnlyOnce) {
  PeopleForTest test;
  ASSERT_THAT(test.TryCreate("Sato", kAdministrator), IsOk());

  EXPECT_THAT(test.TryCreate("Thief", kAdministrator), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST(AccountsTest, RefusePasswordsThatAreShortLongOrHoldTheName) {
  PeopleForTest test;
  for (const std::string& password :
       {std::string("elevenbytes"), std::string(1025, 'x'), std::string("my name is SATO hanako!")}) {
    const absl::Status status = test.TryCreate("Sato Hanako", kAdministrator, password).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << password;
    EXPECT_THAT(status.ToString(), Not(HasSubstr(password)));
  }
  EXPECT_THAT(test.TryCreate("Sato Hanako", kAdministrator, "twelve bytes"), IsOk());
  EXPECT_THAT(CheckPassword("xx A-0123456789 xx", "a-0123456789", ""),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(AccountsTest, RefuseNamesWithoutTellingThem) {
  PeopleForTest test;
  for (const std::string& name :
       {std::string(), std::string("Sato\nHanako"), std::string("Sato\xff"), std::string(201, 'S')}) {
    const absl::Status status = test.TryCreate(name, kAdministrator).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("display_name")));
    EXPECT_THAT(status.ToString(), Not(HasSubstr("Sato")));
  }
}

TEST(AccountsTest, KeepTheLastAdministrator) {
  PeopleForTest test;
  const std::string first = test.Create("Sato", kAdministrator);
  const std::string second = test.Create("Suzuki", kAdministrator);
  ASSERT_THAT(test.Disable(second), IsOk());

  EXPECT_THAT(test.Disable(first), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(test.SetRole(first, kViewer), StatusIs(absl::StatusCode::kFailedPrecondition));

  test.Create("Takahashi", kAdministrator);
  EXPECT_THAT(test.SetRole(first, kViewer), IsOk());
}

TEST(AccountsTest, EndTheirSessionsAtOnceWhenTheyChange) {
  PeopleForTest test;
  test.Create("Sato", kAdministrator);
  const std::string id = test.Create("Suzuki", kOperator);
  const std::vector<std::function<absl::Status()>> changes = {
      [&] { return test.SetRole(id, kViewer); },
      [&] { return test.SetPassword(PeopleForTest::Operator(test.administrator), id, kPassword); },
      [&] { return test.Disable(id); }};
  const std::string certificate = PeopleForTest::Operator().certificate_sha256();
  for (const auto& change : changes) {
    const v1::SignInResponse session = *test.SignIn(id);
    SessionTable follower(test.clock, test.session_file());
    ASSERT_THAT(follower.Use(session.session(), certificate), IsOk());

    ASSERT_THAT(change(), IsOk());

    EXPECT_THAT(test.Use(session), StatusIs(absl::StatusCode::kUnauthenticated));
    EXPECT_THAT(follower.Use(session.session(), certificate), StatusIs(absl::StatusCode::kUnauthenticated));
    test.Restart();
    EXPECT_THAT(test.Use(session), StatusIs(absl::StatusCode::kUnauthenticated));
  }
  EXPECT_THAT(test.SignIn(id), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST(AccountsTest, ChangeTheirOwnPasswordWithTheCurrentOne) {
  PeopleForTest test;
  test.Create("Sato", kAdministrator);
  const std::string id = test.Create("Suzuki", kViewer);
  const Caller own = PeopleForTest::Operator(id);

  EXPECT_THAT(test.SetPassword(own, id, kOther), StatusIs(absl::StatusCode::kUnauthenticated));
  // A try like one to sign in.
  EXPECT_THAT(test.SetPassword(own, id, kOther, kPassword), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(test.SignIn(id), StatusIs(absl::StatusCode::kResourceExhausted));
  test.clock.Advance(absl::Seconds(1));
  ASSERT_THAT(test.SetPassword(own, id, kOther, kPassword), IsOk());

  EXPECT_THAT(test.SignIn(id, kOther), IsOk());
  EXPECT_THAT(test.SignIn(id, kPassword, "peer"), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST(AccountsTest, LetAdministratorsAloneSetOthersPasswords) {
  PeopleForTest test;
  test.Create("Sato", kAdministrator);
  const std::string id = test.Create("Suzuki", kOperator);

  EXPECT_THAT(test.SetPassword(PeopleForTest::Operator(id), test.administrator, kOther),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(test.SetPassword(PeopleForTest::Operator(test.administrator), id, kOther), IsOk());
}

TEST(AccountsTest, RefuseChangesOfADisabledOrUnknownAccount) {
  PeopleForTest test;
  test.Create("Sato", kAdministrator);
  const std::string id = test.Create("Suzuki", kViewer);
  ASSERT_THAT(test.Disable(id), IsOk());

  EXPECT_THAT(test.SetRole(id, kOperator), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(test.SetPassword(PeopleForTest::Operator(test.administrator), id, kOther),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(test.SetRole("a-0000000000", kOperator), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(test.SetRole(id, kNoRole), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(AccountsTest, AnswerARepeatedRequestAlikeWithoutTheName) {
  PeopleForTest test;
  v1::CreateAccountRequest request;
  request.set_request_id(NewUuid(test.random));
  request.set_display_name("Sato");
  request.set_role(kAdministrator);
  request.set_password(kPassword);
  const auto first = test.people->accounts().Create(PeopleForTest::Operator(), request);
  ASSERT_THAT(first, IsOk());

  const auto again = test.people->accounts().Create(PeopleForTest::Operator(), request);

  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->account().id(), first->account().id());
  EXPECT_EQ(test.Acts().size(), 1);
}

// A plain digest of a request would let a password be guessed without argon2id.
TEST(AccountsTest, RememberRequestsWithoutPasswordOrName) {
  PeopleForTest test;
  v1::CreateAccountRequest request;
  request.set_request_id(NewUuid(test.random));
  request.set_display_name("Sato");
  request.set_role(kAdministrator);
  request.set_password(kPassword);
  ASSERT_THAT(test.people->accounts().Create(PeopleForTest::Operator(), request), IsOk());
  request.set_password(kOther);
  request.set_display_name("Suzuki");
  EXPECT_THAT(test.people->accounts().Create(PeopleForTest::Operator(), request), IsOk());

  v1::SetPasswordRequest set;
  set.set_request_id(NewUuid(test.random));
  const std::string id = test.people->accounts().List({})->accounts(0).id();
  set.set_account(id);
  set.set_current_password(kPassword);
  set.set_password("a first new password");
  ASSERT_THAT(test.people->accounts().SetPassword(PeopleForTest::Operator(id), set), IsOk());
  set.set_password("a second new password");
  set.set_current_password("whatever");
  EXPECT_THAT(test.people->accounts().SetPassword(PeopleForTest::Operator(id), set), IsOk());
}

TEST(AccountsTest, KeepNamesInOneErasablePlaceAndPasswordsNowhere) {
  PeopleForTest test;
  const std::string id = test.Create("Sato Hanako", kAdministrator);
  ASSERT_THAT(test.SignIn(id), IsOk());

  const std::string kept = test.OutsidePerson();

  EXPECT_THAT(kept, Not(HasSubstr("Sato Hanako")));
  EXPECT_THAT(kept, Not(HasSubstr(kPassword)));
  EXPECT_THAT(*test.store->Get(store::Table::kPerson, NameKey(id)), "Sato Hanako");
}

TEST(AccountsTest, LeaveAnErasedNameInNoFile) {
  const testing::TempDir folder;
  PeopleForTest test(store::OpenRocksStore(folder.File("store")).value());
  test.Create("Sato", kAdministrator);
  const std::string id = test.Create("Suzuki Jiro", kViewer);
  ASSERT_TRUE(IsInFiles(folder.path(), "Suzuki Jiro"));
  ASSERT_THAT(test.Disable(id), IsOk());
  EXPECT_EQ(*LoadName(*test.store, id), "Suzuki Jiro");

  ASSERT_THAT(test.Disable(id, /*erase_name=*/true), IsOk());

  EXPECT_FALSE(IsInFiles(folder.path(), "Suzuki Jiro"));
  EXPECT_FALSE(IsInFiles(folder.path(), kPassword));
  EXPECT_EQ(*LoadName(*test.store, id), "");
}

TEST(AccountsTest, LeaveOneLeafForEachChangeThatNamesWhoDidIt) {
  PeopleForTest test;
  const std::string admin = test.Create("Sato", kAdministrator);
  const std::string id = test.Create("Suzuki", kViewer);
  ASSERT_THAT(test.SetRole(id, kAuditor), IsOk());
  ASSERT_THAT(test.SetPassword(PeopleForTest::Operator(id), id, kOther, kPassword), IsOk());
  ASSERT_THAT(test.Disable(id, /*erase_name=*/true), IsOk());

  EXPECT_THAT(test.Acts(), ElementsAre(absl::StrCat(" account-created ", admin, " administrator"),
                                       absl::StrCat(admin, " account-created ", id, " viewer"),
                                       absl::StrCat(admin, " role-set ", id, " auditor"),
                                       absl::StrCat(id, " password-set ", id, " "),
                                       absl::StrCat(admin, " account-disabled ", id, " "),
                                       absl::StrCat(admin, " name-erased ", id, " ")));
}

TEST(AccountsTest, AreListedInPages) {
  PeopleForTest test;
  test.Create("Sato", kAdministrator);
  for (int i = 0; i < 4; ++i) test.Create(absl::StrCat("Suzuki ", i), kViewer);
  v1::ListAccountsRequest request;
  request.set_page_size(2);
  std::vector<std::string> ids;
  do {
    const absl::StatusOr<v1::ListAccountsResponse> page = test.people->accounts().List(request);
    ASSERT_THAT(page, IsOk());
    for (const v1::Account& account : page->accounts()) ids.push_back(account.id());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());

  EXPECT_EQ(ids.size(), 5);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  request.set_page_size(1001);
  EXPECT_THAT(test.people->accounts().List(request), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace tsunagi::people
