// People and apps on the command line, against a registrar's process: its operators are people too.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/command_line.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::e2e {
namespace {

using testing::HasSubstr;
using testing::IsOk;
using testing::Not;

class AccountTest : public RegistrarCommandsTest {
 protected:
  void SetUp() override {
    StartRegistrar();
    EnrolFirst();
  }

  std::string Create(const std::string& name, const std::string& role,
                     const std::string& password_file) const {
    return Done({"account", "create", "--name", name, "--role", role, "--password-file", password_file})
        .value("id", "");
  }
};

TEST_F(AccountTest, BeginsWithACertificateAndGoesOnWithSessions) {
  const std::string password = Secret("password", "correct horse battery");
  const std::string admin = Create("佐藤 花子", "administrator", password);
  EXPECT_THAT(Tsunagi({"account", "list"}).err, HasSubstr("tsunagi sign-in"));

  EXPECT_EQ(Done({"sign-in", admin, "--password-file", password}).value("role", ""), "administrator");
  const std::string viewer = Create("鈴木 次郎", "viewer", password);
  const nlohmann::json listed = Done({"account", "list"});
  ASSERT_EQ(listed["accounts"].size(), 2);

  Done({"sign-in", viewer, "--password-file", password});
  EXPECT_THAT(Tsunagi({"account", "list"}).err, HasSubstr("expected `administrator`"));
  Done({"account", "password", viewer, "--password-file", Secret("new", "another long password"),
        "--current-password-file", password});
  EXPECT_THAT(Tsunagi({"account", "list"}).err, HasSubstr("tsunagi sign-in"));
  Done({"sign-in", viewer, "--password-file", dir_.File("new")});
  Done({"sign-out"});
  EXPECT_THAT(Tsunagi({"account", "list"}).err, HasSubstr("tsunagi sign-in"));

  Done({"sign-in", admin, "--password-file", password});
  Done({"account", "set-role", viewer, "--role", "operator"});
  Done({"account", "disable", viewer, "--erase-name"});
  EXPECT_THAT(Tsunagi({"account", "disable", admin}).err, HasSubstr("last administrator"));
}

TEST_F(AccountTest, KeepsTheSessionInAFileOfItsOwner) {
  const std::string password = Secret("password", "correct horse battery");
  Done({"sign-in", Create("Sato", "administrator", password), "--password-file", password});

  EXPECT_THAT(ReadSecretFile(dir_.File("profile/session"), 1000), IsOk());
}

TEST_F(AccountTest, RefusesAPasswordFileThatOthersCanRead) {
  ASSERT_THAT(WriteFileAtomically(dir_.File("open"), "correct horse battery\n", 0644), IsOk());

  const Result result = Tsunagi({"account", "create", "--name", "Sato", "--role", "administrator",
                                 "--password-file", dir_.File("open")});

  EXPECT_EQ(result.code, cli::kExitError);
  EXPECT_THAT(result.err, Not(HasSubstr("correct horse")));
}

TEST_F(AccountTest, LetsAnAppActWithItsSecret) {
  const std::string password = Secret("password", "correct horse battery");
  Done({"sign-in", Create("Sato", "administrator", password), "--password-file", password});
  const std::string old_file = dir_.File("old");
  const std::string client =
      Done({"client", "create", "--name", "MES", "--role", "operator", "--new-secret-file", old_file})
          .value("id", "");
  const auto list_as_app = [&](const std::string& file) {
    return Tsunagi({"account", "list", "--client", client, "--secret-file", file}).err;
  };
  EXPECT_THAT(list_as_app(old_file), HasSubstr(absl::StrCat("account `", client, "` has role `operator`")));

  Done({"client", "rotate", client, "--new-secret-file", dir_.File("new")});
  Done({"client", "drop", client, "--only-old-secret"});

  EXPECT_THAT(list_as_app(old_file), HasSubstr("secret is wrong"));
  EXPECT_THAT(list_as_app(dir_.File("new")), HasSubstr("has role `operator`"));
  EXPECT_EQ(Done({"client", "list"})["clients"].size(), 1);
}

}  // namespace
}  // namespace tsunagi::e2e
