// Accounts that are linked to persons at the company's OpenID Connect provider.
#include "identity/people/links.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/people/people_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::people {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::Not;
using testing::StatusIs;

constexpr char kIssuer[] = "https://login.oem.example";
constexpr char kSubject[] = "hanako@oem.example";

class LinksTest : public ::testing::Test {
 protected:
  absl::Status Link(const std::string& account, const std::string& subject, bool drop_password = false,
                    const std::string& issuer = kIssuer) {
    v1::LinkAccountRequest request;
    request.set_request_id(NewUuid(test_.random));
    request.set_account(account);
    request.set_subject(subject);
    request.set_drop_password(drop_password);
    return test_.people->accounts().Link(PeopleForTest::Operator(admin_), request, issuer).status();
  }
  absl::StatusOr<v1::CreateAccountResponse> Create(Role role, const std::string& subject,
                                                   const std::string& password,
                                                   const std::string& issuer = kIssuer) {
    v1::CreateAccountRequest request;
    request.set_request_id(NewUuid(test_.random));
    request.set_display_name("Suzuki");
    request.set_role(role);
    request.set_password(password);
    request.set_openid_subject(subject);
    return test_.people->accounts().Create(PeopleForTest::Operator(admin_), request, issuer);
  }
  absl::StatusOr<v1::CompleteOpenIdSignInResponse> SignIn(const std::string& subject = kSubject,
                                                          const std::string& issuer = kIssuer) {
    return test_.people->sign_ins().SignInLinked(PeopleForTest::Operator(), issuer, subject);
  }
  v1::Account Shown(const std::string& id) {
    const v1::ListAccountsResponse all = test_.people->accounts().List({}).value();
    for (const v1::Account& account : all.accounts()) {
      if (account.id() == id) return account;
    }
    return {};
  }

  PeopleForTest test_;
  const std::string admin_ = test_.Create("Sato", kAdministrator);
};

TEST_F(LinksTest, OpenTheSameSessionAsAPassword) {
  const std::string id = test_.Create("Suzuki", kOperator);
  ASSERT_THAT(Link(id, kSubject), IsOk());

  const auto response = SignIn();

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->account(), id);
  EXPECT_EQ(response->role(), kOperator);
  EXPECT_EQ(*FromProto(response->expire_time()), test_.clock.Now() + kSessionLife);
  const std::string certificate = PeopleForTest::Operator().certificate_sha256();
  const absl::StatusOr<Session> session = test_.sessions->Use(response->session(), certificate);
  ASSERT_THAT(session, IsOk());
  EXPECT_EQ(session->account, id);
  EXPECT_THAT(test_.sessions->Use(response->session(), "another"), StatusIs(StatusCode::kUnauthenticated));
  ASSERT_THAT(test_.people->sign_ins().SignOut(CallerForTest::WithAccount(
                  PeopleForTest::Operator(), id, crypto::Sha256(*FromBase64Url(response->session())))),
              IsOk());
  EXPECT_THAT(test_.sessions->Use(response->session(), certificate), StatusIs(StatusCode::kUnauthenticated));
}

TEST_F(LinksTest, RefuseUnlinkedUnknownAndDisabledAlike) {
  const std::string disabled = test_.Create("Suzuki", kViewer);
  ASSERT_THAT(Link(disabled, kSubject), IsOk());
  ASSERT_THAT(test_.Disable(disabled), IsOk());

  const absl::Status refused = SignIn().status();

  EXPECT_THAT(refused, StatusIs(StatusCode::kUnauthenticated));
  EXPECT_EQ(SignIn("nobody").status(), refused);
  EXPECT_EQ(SignIn("").status(), refused);
}

TEST_F(LinksTest, AreOfOneIssuerAndOneSubject) {
  ASSERT_THAT(Link(admin_, kSubject), IsOk());

  EXPECT_THAT(SignIn(kSubject, "https://login.other.example"), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(SignIn("Hanako@oem.example"), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(SignIn(), IsOk());
}

TEST_F(LinksTest, LeaveALockedAccountLocked) {
  ASSERT_THAT(Link(admin_, kSubject), IsOk());
  ASSERT_THAT(test_.SignIn(admin_, "wrong horse battery"), StatusIs(StatusCode::kUnauthenticated));

  EXPECT_THAT(SignIn(), StatusIs(StatusCode::kResourceExhausted));
  test_.clock.Advance(absl::Seconds(1));
  EXPECT_THAT(SignIn(), IsOk());
  // The tries at the password still count.
  ASSERT_THAT(test_.SignIn(admin_, "wrong horse battery"), StatusIs(StatusCode::kUnauthenticated));
  test_.clock.Advance(absl::Seconds(1));
  EXPECT_THAT(SignIn(), StatusIs(StatusCode::kResourceExhausted));
}

TEST_F(LinksTest, EndTheSessionsOfTheAccount) {
  const v1::SignInResponse session = *test_.SignIn(admin_);

  ASSERT_THAT(Link(admin_, kSubject), IsOk());

  EXPECT_THAT(test_.Use(session), StatusIs(StatusCode::kUnauthenticated));
}

TEST_F(LinksTest, AreReplacedAndEnded) {
  ASSERT_THAT(Link(admin_, "former"), IsOk());
  ASSERT_THAT(Link(admin_, kSubject), IsOk());
  EXPECT_THAT(SignIn("former"), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_EQ(Shown(admin_).openid().subject(), kSubject);
  EXPECT_EQ(Shown(admin_).openid().issuer(), kIssuer);

  ASSERT_THAT(Link(admin_, ""), IsOk());
  EXPECT_THAT(SignIn(), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_FALSE(Shown(admin_).has_openid());
}

TEST_F(LinksTest, AreOfOneAccountEach) {
  const std::string other = test_.Create("Suzuki", kViewer);
  ASSERT_THAT(Link(other, kSubject), IsOk());

  EXPECT_THAT(Link(admin_, kSubject), StatusIs(StatusCode::kAlreadyExists, HasSubstr(other)));
  EXPECT_THAT(Create(kViewer, kSubject, ""), StatusIs(StatusCode::kAlreadyExists));
  EXPECT_THAT(Link(other, kSubject), IsOk());
  // Whoever comes back has a new account.
  ASSERT_THAT(test_.Disable(other), IsOk());
  ASSERT_THAT(Link(admin_, kSubject), IsOk());
  EXPECT_EQ(SignIn()->account(), admin_);
}

TEST_F(LinksTest, AreEnoughForAnAccountWithoutPassword) {
  const auto created = Create(kViewer, kSubject, "");
  ASSERT_THAT(created, IsOk());
  const std::string id = created->account().id();
  EXPECT_FALSE(created->account().has_password());
  EXPECT_EQ(created->account().openid().subject(), kSubject);

  EXPECT_EQ(SignIn()->account(), id);
  for (const char* password : {"", kPassword}) {
    EXPECT_THAT(test_.SignIn(id, password, password), StatusIs(StatusCode::kUnauthenticated));
    test_.clock.Advance(absl::Minutes(15));
  }
  EXPECT_THAT(test_.SetPassword(PeopleForTest::Operator(id), id, "another long password", ""),
              StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(Link(id, ""), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("nobody could sign in")));
}

TEST_F(LinksTest, LetThePasswordBeDropped) {
  const std::string id = test_.Create("Suzuki", kViewer);

  EXPECT_THAT(Link(id, "", /*drop_password=*/true), StatusIs(StatusCode::kFailedPrecondition));
  ASSERT_THAT(test_.SignIn(id), IsOk());
  ASSERT_THAT(Link(id, kSubject, /*drop_password=*/true), IsOk());

  EXPECT_FALSE(Shown(id).has_password());
  EXPECT_THAT(test_.SignIn(id), StatusIs(StatusCode::kUnauthenticated));
  test_.clock.Advance(absl::Seconds(1));
  EXPECT_EQ(SignIn()->account(), id);
}

TEST_F(LinksTest, LeaveOneAdministratorAPassword) {
  ASSERT_THAT(Create(kAdministrator, kSubject, ""), IsOk());

  EXPECT_THAT(Link(admin_, "sato", /*drop_password=*/true),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("last administrator")));
  EXPECT_THAT(test_.SetRole(admin_, kViewer), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(test_.Disable(admin_), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(test_.SignIn(admin_), IsOk());
}

TEST(FirstAccountTest, HasAPassword) {
  PeopleForTest test;
  v1::CreateAccountRequest request;
  request.set_request_id(NewUuid(test.random));
  request.set_display_name("Sato");
  request.set_role(kAdministrator);
  request.set_openid_subject(kSubject);

  EXPECT_THAT(test.people->accounts().Create(PeopleForTest::Operator(), request, kIssuer),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("needs a password")));
}

TEST_F(LinksTest, NeedAProviderAndASubject) {
  EXPECT_THAT(Link(admin_, kSubject, false, ""),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("openid_provider")));
  EXPECT_THAT(Create(kViewer, kSubject, "", ""), StatusIs(StatusCode::kFailedPrecondition));
  for (const std::string& subject : {std::string(256, 'x'), std::string("a\nb"), std::string("\xff")}) {
    EXPECT_THAT(Link(admin_, subject),
                StatusIs(StatusCode::kInvalidArgument,
                         testing::AllOf(HasSubstr("subject"), Not(HasSubstr(subject)))));
  }
  EXPECT_THAT(Create(kViewer, "", ""), StatusIs(StatusCode::kInvalidArgument, HasSubstr("password")));
}

TEST_F(LinksTest, StandInOneErasablePlace) {
  const std::string id = test_.Create("Suzuki", kViewer);
  ASSERT_THAT(Link(id, kSubject), IsOk());
  EXPECT_THAT(test_.OutsidePerson(), Not(HasSubstr(kSubject)));
  ASSERT_TRUE(LoadLink(*test_.store, id)->has_value());

  ASSERT_THAT(test_.Disable(id, /*erase_name=*/true), IsOk());

  EXPECT_THAT(LoadLink(*test_.store, id), IsOkAndHolds(::testing::Eq(std::nullopt)));
}

TEST(ErasedLinkTest, StandsInNoFile) {
  const testing::TempDir folder;
  PeopleForTest test(store::OpenRocksStore(folder.File("store")).value());
  const std::string admin = test.Create("Sato", kAdministrator);
  const auto link = [&](const std::string& subject) {
    v1::LinkAccountRequest request;
    request.set_request_id(NewUuid(test.random));
    request.set_account(admin);
    request.set_subject(subject);
    return test.people->accounts().Link(PeopleForTest::Operator(admin), request, kIssuer).status();
  };
  ASSERT_THAT(link("former@oem.example"), IsOk());
  ASSERT_TRUE(IsInFiles(folder.path(), "former@oem.example"));

  ASSERT_THAT(link("newer@oem.example"), IsOk());
  EXPECT_FALSE(IsInFiles(folder.path(), "former@oem.example"));
  ASSERT_THAT(link(""), IsOk());
  EXPECT_FALSE(IsInFiles(folder.path(), "newer@oem.example"));
}

TEST_F(LinksTest, LeaveALeafForEachActAndTry) {
  ASSERT_THAT(Link(admin_, kSubject), IsOk());
  ASSERT_THAT(SignIn(), IsOk());
  ASSERT_THAT(SignIn("nobody"), Not(IsOk()));
  ASSERT_THAT(test_.SignIn(admin_, "wrong horse battery"), Not(IsOk()));
  ASSERT_THAT(SignIn(), StatusIs(StatusCode::kResourceExhausted));
  ASSERT_THAT(Link(admin_, ""), IsOk());

  EXPECT_THAT(test_.Acts(),
              ::testing::ElementsAre(absl::StrCat(" account-created ", admin_, " administrator"),
                                     absl::StrCat(admin_, " account-linked ", admin_, " "),
                                     absl::StrCat(admin_, " openid-signed-in ", admin_, " administrator"),
                                     " openid-refused  ", absl::StrCat(" sign-in-refused ", admin_, " "),
                                     absl::StrCat(" openid-refused ", admin_, " "),
                                     absl::StrCat(admin_, " account-unlinked ", admin_, " ")));
}

TEST_F(LinksTest, AreOneActForOneRequestId) {
  v1::LinkAccountRequest request;
  request.set_request_id(NewUuid(test_.random));
  request.set_account(admin_);
  request.set_subject(kSubject);
  ASSERT_THAT(test_.people->accounts().Link(PeopleForTest::Operator(admin_), request, kIssuer), IsOk());
  const size_t acts = test_.Acts().size();

  EXPECT_THAT(test_.people->accounts().Link(PeopleForTest::Operator(admin_), request, kIssuer), IsOk());
  EXPECT_EQ(test_.Acts().size(), acts);
}

}  // namespace
}  // namespace tsunagi::people
