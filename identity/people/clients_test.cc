#include "identity/people/clients.h"

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

class ClientsTest : public ::testing::Test {
 protected:
  ClientsTest() {
    test_.Create("Sato", kAdministrator);
    admin_ = PeopleForTest::Operator(test_.administrator);
  }

  absl::StatusOr<v1::CreateClientResponse> Create(Role role, absl::Time expires = absl::InfiniteFuture()) {
    v1::CreateClientRequest request;
    request.set_request_id(NewUuid(test_.random));
    request.set_display_name("line 4 of Suzuki");
    request.set_role(role);
    if (expires != absl::InfiniteFuture()) *request.mutable_expire_time() = ToProto(expires);
    return test_.people->clients().Create(admin_, request);
  }
  absl::StatusOr<v1::RotateClientSecretResponse> Rotate(const std::string& client) {
    v1::RotateClientSecretRequest request;
    request.set_request_id(NewUuid(test_.random));
    request.set_client(client);
    return test_.people->clients().Rotate(admin_, request);
  }
  absl::Status Drop(const std::string& client, bool only_old_secret) {
    v1::DropClientRequest request;
    request.set_request_id(NewUuid(test_.random));
    request.set_client(client);
    request.set_only_old_secret(only_old_secret);
    return test_.people->clients().Drop(admin_, request).status();
  }
  absl::Status SignIn(const std::string& client, const std::string& secret) {
    return test_.SignInApp(client, secret).status();
  }

  PeopleForTest test_;
  Caller admin_ = PeopleForTest::Operator();
};

TEST_F(ClientsTest, SignInWithTheirSecretAndNoOther) {
  const v1::CreateClientResponse made = *Create(kOperator);
  const std::string& id = made.client().id();

  const absl::StatusOr<v1::SignInResponse> session = test_.SignInApp(id, made.secret());

  ASSERT_THAT(session, IsOk());
  EXPECT_EQ(session->role(), kOperator);
  EXPECT_EQ(test_.Use(*session)->account, id);
  for (const std::string& wrong : {std::string(), ToBase64Url(std::string(32, 'x')), made.secret() + "A",
                                   ToBase64Url(crypto::Sha256(*FromBase64Url(made.secret())))}) {
    EXPECT_THAT(SignIn(id, wrong), StatusIs(absl::StatusCode::kUnauthenticated)) << wrong;
  }
  EXPECT_THAT(test_.SignIn(id, made.secret()), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(ClientsTest, HaveTwoSecretsForSevenDaysAfterARotation) {
  const v1::CreateClientResponse made = *Create(kViewer);
  const std::string& id = made.client().id();
  const v1::RotateClientSecretResponse rotated = *Rotate(id);
  EXPECT_THAT(SignIn(id, made.secret()), IsOk());
  EXPECT_THAT(SignIn(id, rotated.secret()), IsOk());
  EXPECT_THAT(Rotate(id), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("two secrets")));

  test_.clock.Advance(absl::Hours(7 * 24));

  EXPECT_THAT(SignIn(id, made.secret()), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(SignIn(id, rotated.secret()), IsOk());
  EXPECT_THAT(Rotate(id), IsOk());
}

TEST_F(ClientsTest, LoseTheOldSecretAndItsSessionsWhenItIsDropped) {
  const v1::CreateClientResponse made = *Create(kViewer);
  const std::string& id = made.client().id();
  EXPECT_THAT(Drop(id, true), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("one secret")));
  const v1::RotateClientSecretResponse rotated = *Rotate(id);
  const v1::SignInResponse session = *test_.SignInApp(id, made.secret());

  ASSERT_THAT(Drop(id, true), IsOk());

  EXPECT_THAT(test_.Use(session), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(SignIn(id, made.secret()), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(SignIn(id, rotated.secret()), IsOk());
}

TEST_F(ClientsTest, AreGoneOnceDropped) {
  const v1::CreateClientResponse made = *Create(kViewer);
  const std::string& id = made.client().id();
  const v1::SignInResponse session = *test_.SignInApp(id, made.secret());

  ASSERT_THAT(Drop(id, false), IsOk());

  EXPECT_THAT(test_.Use(session), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(SignIn(id, made.secret()), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(Rotate(id), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_TRUE(test_.people->clients().List({})->clients(0).dropped());
}

TEST_F(ClientsTest, EndWithTheirSessionsWhenTheirTimeIsOver) {
  EXPECT_THAT(Create(kViewer, test_.clock.Now()), StatusIs(absl::StatusCode::kInvalidArgument));
  const v1::CreateClientResponse made = *Create(kViewer, test_.clock.Now() + absl::Minutes(30));
  const v1::SignInResponse session = *test_.SignInApp(made.client().id(), made.secret());
  test_.clock.Advance(absl::Minutes(29));
  ASSERT_THAT(test_.Use(session), IsOk());

  test_.clock.Advance(absl::Minutes(1));

  EXPECT_THAT(test_.Use(session), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(SignIn(made.client().id(), made.secret()), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(ClientsTest, AreNeverAdministrators) {
  EXPECT_THAT(Create(kAdministrator), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("role")));
}

TEST_F(ClientsTest, ShowASecretOnceAndKeepItsHash) {
  v1::CreateClientRequest request;
  request.set_request_id(NewUuid(test_.random));
  request.set_display_name("line 4 of Suzuki");
  request.set_role(kViewer);
  const v1::CreateClientResponse made = *test_.people->clients().Create(admin_, request);
  const v1::RotateClientSecretResponse rotated = *Rotate(made.client().id());

  EXPECT_THAT(test_.people->clients().Create(admin_, request), StatusIs(absl::StatusCode::kAlreadyExists));
  const std::string kept = test_.OutsidePerson();
  for (const std::string& secret : {made.secret(), rotated.secret()}) {
    EXPECT_THAT(kept, Not(HasSubstr(secret)));
    EXPECT_THAT(kept, Not(HasSubstr(*FromBase64Url(secret))));
  }
  EXPECT_THAT(kept, Not(HasSubstr("Suzuki")));
}

TEST_F(ClientsTest, HaveABoundedNumberOfSessions) {
  const v1::CreateClientResponse made = *Create(kViewer);
  const v1::SignInResponse first = *test_.SignInApp(made.client().id(), made.secret());
  test_.clock.Advance(absl::Seconds(1));
  const v1::SignInResponse second = *test_.SignInApp(made.client().id(), made.secret());
  test_.clock.Advance(absl::Seconds(1));
  for (size_t i = 2; i <= SignIns::kMaxSessions; ++i) {
    ASSERT_THAT(SignIn(made.client().id(), made.secret()), IsOk());
  }

  EXPECT_THAT(test_.Use(first), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(test_.Use(second), IsOk());
}

TEST_F(ClientsTest, LeaveOneLeafForEachChange) {
  const std::string id = Create(kViewer)->client().id();
  ASSERT_THAT(Rotate(id), IsOk());
  ASSERT_THAT(Drop(id, true), IsOk());
  ASSERT_THAT(Drop(id, false), IsOk());

  const std::string& admin = test_.administrator;
  EXPECT_THAT(test_.Acts(), ::testing::ElementsAre(absl::StrCat(" account-created ", admin, " administrator"),
                                                   absl::StrCat(admin, " client-created ", id, " viewer"),
                                                   absl::StrCat(admin, " secret-rotated ", id, " "),
                                                   absl::StrCat(admin, " secret-dropped ", id, " "),
                                                   absl::StrCat(admin, " client-dropped ", id, " ")));
}

}  // namespace
}  // namespace tsunagi::people
