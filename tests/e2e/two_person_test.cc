// Two-person approval (二者承認) of keys, on the command line.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/command_line.h"

namespace tsunagi::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TwoPersonCommandsTest : public RegistrarCommandsTest {
 protected:
  void SetUp() override {
    internal::v1::RegistrarConfig config;
    config.set_two_person_approval(true);
    StartRegistrar(config);
    EnrolFirst();
    for (const char* person : {"tanaka", "suzuki"}) {
      const std::string code = dir_.File(absl::StrCat(person, "-code"));
      Done({"participant", "invite", "registrar", "--process", "operator", "--person", person, "--code-file",
            code});
      Enrol(code, person);
    }
  }

  // The id of what Tanaka proposes.
  std::string Propose() const {
    return Done({"authority", "rotate", "token", "--reason", "every year"}, "tanaka").value("pending_id", "");
  }
  nlohmann::json Waiting() const { return Done({"authority", "proposals"}, "suzuki")["proposals"]; }
  std::string TokenKey() const { return registrar_->registrar().context().authority.Get()->token.id(); }
};

TEST_F(TwoPersonCommandsTest, AnotherPersonApproves) {
  const std::string before = TokenKey();
  const std::string id = Propose();
  EXPECT_EQ(TokenKey(), before);
  const nlohmann::json waiting = Waiting();
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0]["id"], id);
  EXPECT_THAT(waiting[0].value("entered_by", ""), HasSubstr("tanaka"));
  EXPECT_EQ(waiting[0]["rotate_key"]["reason"], "every year");

  const Result same = Tsunagi({"authority", "approve", id}, "tanaka");
  EXPECT_EQ(same.code, cli::kExitError);
  EXPECT_THAT(same.err, HasSubstr("another person"));
  EXPECT_EQ(TokenKey(), before);

  const nlohmann::json approved = Done({"authority", "approve", id}, "suzuki");
  EXPECT_EQ(approved["rotate_key"]["key_id"], TokenKey());
  EXPECT_NE(TokenKey(), before);
  EXPECT_THAT(Waiting(), IsEmpty());
}

TEST_F(TwoPersonCommandsTest, WhatIsDeclinedIsNotDone) {
  const std::string before = TokenKey();
  const std::string id = Propose();

  EXPECT_NE(Tsunagi({"authority", "decline", id}, "suzuki").code, cli::kExitOk) << "without a reason";
  Done({"authority", "decline", id, "--reason", "not this month"}, "suzuki");

  EXPECT_THAT(Waiting(), IsEmpty());
  EXPECT_THAT(Tsunagi({"authority", "approve", id}, "suzuki").err, HasSubstr(id));
  EXPECT_EQ(TokenKey(), before);
}

}  // namespace
}  // namespace tsunagi::e2e
