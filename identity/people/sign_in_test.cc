#include "identity/people/sign_in.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/people/people_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::people {
namespace {

using testing::HasSubstr;
using testing::IsOk;
using testing::Not;
using testing::StatusIs;

constexpr char kWrong[] = "wrong horse battery";

TEST(SignInTest, OpensASessionWithTheAccountsRole) {
  PeopleForTest test;
  const std::string id = test.Create("佐藤 花子", kAdministrator);

  const absl::StatusOr<v1::SignInResponse> response = test.SignIn(id);

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->role(), kAdministrator);
  EXPECT_EQ(*FromProto(response->expire_time()), test.clock.Now() + absl::Hours(12));
  const absl::StatusOr<Session> session = test.Use(*response);
  ASSERT_THAT(session, IsOk());
  EXPECT_EQ(session->account, id);
}

TEST(SignInTest, AnswersAWrongPasswordAndAnUnknownAccountAlike) {
  PeopleForTest test;
  const std::string id = test.Create("Sato", kAdministrator);
  const std::string disabled = test.Create("Suzuki", kViewer);
  ASSERT_THAT(test.Disable(disabled), IsOk());

  const absl::Status wrong = test.SignIn(id, kWrong, "first").status();

  EXPECT_THAT(wrong, StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(test.SignIn("a-0000000000", kWrong, "second").status(), wrong);
  EXPECT_EQ(test.SignIn(disabled, kPassword, "third").status(), wrong);
  EXPECT_EQ(test.SignInApp("c-0000000000", ToBase64Url(std::string(32, 'x'))).status(), wrong);
}

// The answers in time of an account that is guessed at.
std::vector<absl::Status> Guesses(PeopleForTest& test, const std::string& id) {
  std::vector<absl::Status> answers;
  for (int i = 0; i < 40; ++i) {
    answers.push_back(test.SignIn(id, kWrong, absl::StrCat("peer ", id, i)).status());
    test.clock.Advance(absl::Seconds(1));
  }
  return answers;
}

TEST(SignInTest, MakesWaitForAnUnknownAccountLikeForAKnownOne) {
  PeopleForTest test;
  const std::string id = test.Create("Sato", kAdministrator);

  const std::vector<absl::Status> known = Guesses(test, id);

  EXPECT_EQ(Guesses(test, "a-0000000000"), known);
  // Tries at 0, 1, 3, 7, 15 and 31 s; in between one waits.
  int looked_at = 0;
  for (const absl::Status& answer : known) looked_at += absl::IsUnauthenticated(answer) ? 1 : 0;
  EXPECT_EQ(looked_at, 6);
}

TEST(SignInTest, RefusesTheRightPasswordWhileTheAccountIsLocked) {
  PeopleForTest test;
  const std::string id = test.Create("Sato", kAdministrator);
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(test.SignIn(id, kWrong, absl::StrCat("peer", i)),
                StatusIs(absl::StatusCode::kUnauthenticated));
    test.clock.Advance(DelayAfter(static_cast<uint32_t>(i + 1)) - absl::Milliseconds(1));
    ASSERT_THAT(test.SignIn(id, kPassword, absl::StrCat("other", i)),
                StatusIs(absl::StatusCode::kResourceExhausted));
    test.clock.Advance(absl::Milliseconds(1));
  }

  ASSERT_THAT(test.SignIn(id, kPassword, "peer"), IsOk());
  // From the beginning again.
  ASSERT_THAT(test.SignIn(id, kWrong, "peer"), StatusIs(absl::StatusCode::kUnauthenticated));
  test.clock.Advance(absl::Seconds(1));
  EXPECT_THAT(test.SignIn(id, kPassword, "peer"), IsOk());
}

TEST(SignInTest, StaysLockedOverARestart) {
  PeopleForTest test;
  const std::string id = test.Create("Sato", kAdministrator);
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(test.SignIn(id, kWrong, absl::StrCat("peer", i)),
                StatusIs(absl::StatusCode::kUnauthenticated));
    if (i < 2) test.clock.Advance(absl::Seconds(2));
  }

  test.Restart();

  EXPECT_THAT(test.SignIn(id, kPassword, "new"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("4 s")));
  test.clock.Advance(absl::Seconds(4));
  EXPECT_THAT(test.SignIn(id, kPassword, "new"), IsOk());
}

TEST(SignInTest, MakesACallerWaitThatGuessesAtManyAccounts) {
  PeopleForTest test;
  const std::string id = test.Create("Sato", kAdministrator);
  ASSERT_THAT(test.SignIn("a-0000000000", kWrong, "thief"), StatusIs(absl::StatusCode::kUnauthenticated));

  EXPECT_THAT(test.SignIn(id, kWrong, "thief"), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(test.SignIn(id, kPassword, "oem"), IsOk());
}

TEST(SignInTest, HashesAnewWhenTheCostChanged) {
  PeopleForTest test;
  const std::string id = test.Create("Sato", kAdministrator);
  const std::string old_hash = LoadAccount(*test.store, id)->password_hash();
  ASSERT_THAT(old_hash, HasSubstr("m=8,t=1"));
  test.Restart({2, 16384});

  ASSERT_THAT(test.SignIn(id), IsOk());

  EXPECT_THAT(LoadAccount(*test.store, id)->password_hash(), HasSubstr("m=16,t=2"));
  EXPECT_THAT(test.SignIn(id), IsOk());
}

TEST(SignInTest, KeepsSessionsOverARestart) {
  PeopleForTest test;
  const std::string id = test.Create("Sato", kAdministrator);
  const v1::SignInResponse session = *test.SignIn(id);
  test.clock.Advance(absl::Minutes(40));
  ASSERT_THAT(test.Use(session), IsOk());
  ASSERT_THAT(test.people->SaveUses(), IsOk());

  test.Restart();
  test.clock.Advance(absl::Minutes(40));

  EXPECT_THAT(test.Use(session), IsOk());
  EXPECT_TRUE(test.sessions->required());
}

TEST(SignInTest, KeepsOnlyTheHashOfASession) {
  PeopleForTest test;
  const v1::SignInResponse session = *test.SignIn(test.Create("Sato", kAdministrator));
  const std::string file = ReadFile(test.session_file(), 1 << 20).value();

  for (const std::string& kept : {test.OutsidePerson(), file}) {
    EXPECT_THAT(kept, Not(HasSubstr(session.session())));
    EXPECT_THAT(kept, Not(HasSubstr(*FromBase64Url(session.session()))));
  }
}

TEST(SignInTest, EndsASessionForThisProcessAndTheOthersAtSignOut) {
  PeopleForTest test;
  const v1::SignInResponse session = *test.SignIn(test.Create("Sato", kAdministrator));
  const v1::SignInResponse other = *test.SignIn(test.administrator);
  SessionTable follower(test.clock, test.session_file());
  const std::string certificate = PeopleForTest::Operator().certificate_sha256();
  ASSERT_THAT(follower.Use(session.session(), certificate), IsOk());
  const Caller caller = CallerForTest::WithAccount(PeopleForTest::Operator(), test.administrator,
                                                   crypto::Sha256(*FromBase64Url(session.session())));

  ASSERT_THAT(test.people->sign_ins().SignOut(caller), IsOk());

  EXPECT_THAT(test.Use(session), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(follower.Use(session.session(), certificate), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(test.Use(other), IsOk());
  test.Restart();
  EXPECT_THAT(test.Use(session), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(test.people->sign_ins().SignOut(PeopleForTest::Operator()),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(SignInTest, RecordsTriesAtAccountsThatExistAndNoOthers) {
  PeopleForTest test;
  const std::string id = test.Create("Sato", kAdministrator);
  ASSERT_THAT(test.SignIn(id, kWrong, "first"), Not(IsOk()));
  ASSERT_THAT(test.SignIn("a-made-up", kWrong, "second"), Not(IsOk()));
  test.clock.Advance(absl::Seconds(1));
  ASSERT_THAT(test.SignIn(id), IsOk());

  EXPECT_THAT(test.Acts(), ::testing::ElementsAre(absl::StrCat(" account-created ", id, " administrator"),
                                                  absl::StrCat(" sign-in-refused ", id, " "),
                                                  absl::StrCat(id, " signed-in ", id, " administrator")));
}

TEST(SignInTest, RefusesRequestsWithoutAccountOrProof) {
  PeopleForTest test;
  v1::SignInRequest request;
  EXPECT_THAT(test.people->sign_ins().SignIn(PeopleForTest::Operator(), request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("account")));
  request.set_account("a-0123456789");
  EXPECT_THAT(test.people->sign_ins().SignIn(PeopleForTest::Operator(), request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("proof")));
  request.set_password(std::string(1025, 'x'));
  EXPECT_THAT(test.people->sign_ins().SignIn(PeopleForTest::Operator(), request),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

}  // namespace
}  // namespace tsunagi::people
