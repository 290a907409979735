#include "identity/people/session_table.h"

#include <sys/stat.h>

#include <cstdio>

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/crypto/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::people {
namespace {

using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

constexpr char kCertificate[] = "certificate of the operator";

std::string TokenBytes(char fill) { return std::string(32, fill); }
std::string Token(char fill) { return ToBase64Url(TokenBytes(fill)); }

class SessionTableTest : public ::testing::Test {
 protected:
  Session SessionOf(char fill, Role role = kViewer) const {
    return {crypto::Sha256(TokenBytes(fill)), "a-0123456789", role,        kCertificate, clock_.Now(),
            clock_.Now() + kSessionLife,      clock_.Now(),   clock_.Now()};
  }
  std::string file() const { return folder_.File("sessions"); }
  void Write(const SessionTable& table) const {
    ASSERT_THAT(WriteFileAtomically(file(), Encode(table.Show()), 0600), IsOk());
  }

  testing::FakeClock clock_;
  testing::TempDir folder_;
};

TEST_F(SessionTableTest, KnowsASessionByItsToken) {
  SessionTable table(clock_);
  table.Put(SessionOf('s', kOperator));

  const absl::StatusOr<Session> session = table.Use(Token('s'), kCertificate);

  ASSERT_THAT(session, IsOk());
  EXPECT_EQ(session->account, "a-0123456789");
  EXPECT_EQ(session->role, kOperator);
}

TEST_F(SessionTableTest, RefusesTokensThatOpenNoSession) {
  SessionTable table(clock_);
  table.Put(SessionOf('s'));

  for (const std::string& token : {Token('t'), std::string(), std::string("!"), Token('s') + "=",
                                   ToBase64Url(crypto::Sha256(TokenBytes('s')))}) {
    EXPECT_THAT(table.Use(token, kCertificate), StatusIs(absl::StatusCode::kUnauthenticated)) << token;
  }
}

TEST_F(SessionTableTest, RefusesASessionThatAnotherCertificateOpened) {
  SessionTable table(clock_);
  table.Put(SessionOf('s'));

  EXPECT_THAT(table.Use(Token('s'), "certificate of somebody else"),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("another certificate")));
}

TEST_F(SessionTableTest, EndsASessionAfterAnHourWithoutUse) {
  SessionTable table(clock_);
  table.Put(SessionOf('s'));
  clock_.Advance(absl::Minutes(59));
  ASSERT_THAT(table.Use(Token('s'), kCertificate), IsOk());
  clock_.Advance(absl::Minutes(59));
  ASSERT_THAT(table.Use(Token('s'), kCertificate), IsOk());

  clock_.Advance(absl::Minutes(60));

  EXPECT_THAT(table.Use(Token('s'), kCertificate),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("idle")));
}

TEST_F(SessionTableTest, EndsASessionAfterTwelveHoursHoweverMuchItIsUsed) {
  SessionTable table(clock_);
  table.Put(SessionOf('s'));
  for (int i = 0; i < 23; ++i) {
    clock_.Advance(absl::Minutes(30));
    ASSERT_THAT(table.Use(Token('s'), kCertificate), IsOk());
  }

  clock_.Advance(absl::Minutes(30));

  EXPECT_THAT(table.Use(Token('s'), kCertificate),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("12 hours")));
  EXPECT_EQ(table.Show().sessions_size(), 0);
}

TEST_F(SessionTableTest, AsksForNoSessionUntilAnAdministratorExists) {
  SessionTable table(clock_);
  EXPECT_THAT(table.CheckRole("", kAdministrator), IsOk());

  table.SetRequired();

  EXPECT_THAT(table.CheckRole("", kViewer), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(table.CheckRole(crypto::Sha256(TokenBytes('s')), kViewer),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(SessionTableTest, LetsEachRoleDoWhatItCovers) {
  const std::vector<std::pair<Role, std::vector<Role>>> covers = {
      {kViewer, {kViewer}},
      {kAuditor, {kViewer, kAuditor}},
      {kOperator, {kViewer, kOperator}},
      {kAdministrator, {kViewer, kAuditor, kOperator, kAdministrator}},
      {kNoRole, {}}};
  for (const auto& [role, may] : covers) {
    SessionTable table(clock_);
    table.SetRequired();
    table.Put(SessionOf('s', role));
    for (const Role needed : {kViewer, kAuditor, kOperator, kAdministrator}) {
      const bool allowed = std::find(may.begin(), may.end(), needed) != may.end();
      EXPECT_THAT(table.CheckRole(SessionOf('s').digest, needed),
                  StatusIs(allowed ? absl::StatusCode::kOk : absl::StatusCode::kPermissionDenied))
          << RoleWord(role) << " for " << RoleWord(needed);
    }
  }
}

TEST_F(SessionTableTest, AsksToSaveAUseThatIsFiveMinutesNewerThanTheDisk) {
  SessionTable table(clock_);
  int asked = 0;
  table.OnUnsaved([&] { ++asked; });
  table.Put(SessionOf('s'));
  clock_.Advance(absl::Minutes(4));
  ASSERT_THAT(table.Use(Token('s'), kCertificate), IsOk());
  EXPECT_EQ(asked, 0);
  clock_.Advance(absl::Minutes(1));
  ASSERT_THAT(table.Use(Token('s'), kCertificate), IsOk());
  EXPECT_EQ(asked, 1);

  const std::vector<Session> unsaved = table.TakeUnsaved();

  ASSERT_EQ(unsaved.size(), 1);
  EXPECT_EQ(unsaved[0].used, clock_.Now());
  EXPECT_TRUE(table.TakeUnsaved().empty());
}

TEST_F(SessionTableTest, FollowsBeginAndEndInTheFileAtOnce) {
  SessionTable kept(clock_);
  SessionTable follower(clock_, file());
  EXPECT_THAT(follower.CheckRole("", kAdministrator), IsOk());

  kept.SetRequired();
  kept.Put(SessionOf('s', kOperator));
  Write(kept);
  EXPECT_THAT(follower.CheckRole("", kViewer), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(follower.Use(Token('s'), kCertificate), IsOk());
  EXPECT_THAT(follower.CheckRole(SessionOf('s').digest, kOperator), IsOk());

  kept.RemoveAllOf("a-0123456789");
  Write(kept);
  EXPECT_THAT(follower.Use(Token('s'), kCertificate), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(SessionTableTest, KeepsItsOwnUsesWhenTheFileChanges) {
  SessionTable kept(clock_);
  kept.SetRequired();
  kept.Put(SessionOf('s'));
  Write(kept);
  SessionTable follower(clock_, file());
  clock_.Advance(absl::Minutes(50));
  ASSERT_THAT(follower.Use(Token('s'), kCertificate), IsOk());
  Session other = SessionOf('t');
  kept.Put(other);
  Write(kept);
  clock_.Advance(absl::Minutes(50));

  EXPECT_THAT(follower.Use(Token('s'), kCertificate), IsOk());
}

TEST_F(SessionTableTest, RefusesWhileTheFileCannotBeRead) {
  SessionTable kept(clock_);
  kept.SetRequired();
  Write(kept);
  SessionTable follower(clock_, file());

  ASSERT_THAT(WriteFileAtomically(file(), "\xff\xff", 0600), IsOk());
  EXPECT_THAT(follower.CheckRole("", kViewer), StatusIs(absl::StatusCode::kUnavailable));

  ASSERT_THAT(WriteFileAtomically(file(), Encode(kept.Show()), 0644), IsOk());
  EXPECT_THAT(follower.CheckRole("", kViewer), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(SessionTableTest, AsksForSessionsOnWhenTheFileNoLongerSaysSo) {
  SessionTable kept(clock_);
  kept.SetRequired();
  Write(kept);
  SessionTable follower(clock_, file());
  ASSERT_THAT(follower.CheckRole("", kViewer), StatusIs(absl::StatusCode::kUnauthenticated));

  Write(SessionTable(clock_));

  EXPECT_THAT(follower.CheckRole("", kViewer), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(SessionTableTest, AsksForSessionsOnWhenTheFileVanishes) {
  SessionTable kept(clock_);
  kept.SetRequired();
  Write(kept);
  SessionTable follower(clock_, file());
  ASSERT_THAT(follower.CheckRole("", kViewer), StatusIs(absl::StatusCode::kUnauthenticated));

  ASSERT_EQ(std::remove(file().c_str()), 0);

  EXPECT_THAT(follower.CheckRole("", kViewer), StatusIs(absl::StatusCode::kUnauthenticated));
}

}  // namespace
}  // namespace tsunagi::people
