// Time stamps on the command line: the registrar's log, and a receipt that takes its stamp along.
#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/audit/receipt.h"
#include "core/base/file.h"
#include "core/crypto/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/e2e/command_line.h"
#include "tests/e2e/stamping_for_test.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::process {
namespace {

using e2e::Result;
using testing::Eventually;
using ::testing::HasSubstr;
using testing::IsOk;
using Json = nlohmann::json;

class StampingCommandsTest : public StampingTest {
 protected:
  // The command line of the operator of `label`, enrolled with this invitation.
  Result Tsunagi(const std::string& label, std::vector<std::string> arguments) const {
    return e2e::RunTsunagi(dir_.File(label + "-profile"), std::move(arguments));
  }
  void EnrolOperator(const std::string& label, const std::string& invitation_file, const std::string& more) {
    const std::string yaml =
        absl::StrCat("federation: ", kFederation, "\nparticipant: ", label,
                     "\nregistrar:\n  address: ", address_, "\n  est_url: ", config_.registrar().est_url(),
                     "\n  root_sha256: ", config_.registrar().root_sha256(), "\n", more);
    ASSERT_THAT(WriteText(dir_.File(label + ".yaml"), yaml), IsOk());
    const Result enrolled = Tsunagi(
        label, {"enrol", "--invitation-file", invitation_file, "--config", dir_.File(label + ".yaml")});
    ASSERT_EQ(enrolled.code, cli::kExitOk) << enrolled.err;
  }
};

TEST_F(StampingCommandsTest, TheRegistrarsLogIsVerifiedWithItsStamps) {
  EnrolOperator("registrar", dir_.File("registrar/operator-invitation"), "");
  const auto verify = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"audit", "verify"});
    return Tsunagi("registrar", std::move(more));
  };
  Json log;
  ASSERT_TRUE(Eventually([&] {
    const Result result = verify({"--stamping-root", authority_.root_file()});
    if (result.code != cli::kExitOk) return false;
    log = result.json()["logs"][0];
    return log["time_stamps"]["count"] > 0;
  }));
  EXPECT_EQ(log["time_stamps"]["verified"], true);
  EXPECT_EQ(log["time_stamps"]["authority"], "CN=stamping signer");
  EXPECT_LE(log["time_stamps"]["leaves"], log["leaves"]);
  EXPECT_THAT(log["time_stamps"]["stamped_at"].get<std::string>(), HasSubstr("T"));

  const Result unchecked = verify({});
  EXPECT_EQ(unchecked.code, cli::kExitOk);
  EXPECT_EQ(unchecked.json()["logs"][0]["time_stamps"]["verified"], false);
  EXPECT_TRUE(unchecked.json()["logs"][0]["time_stamps"]["stamped_at"].is_null());
  const testing::StampingServer other;
  const Result refused = verify({"--stamping-root", other.root_file()});
  EXPECT_NE(refused.code, cli::kExitOk);
  EXPECT_THAT(refused.err, HasSubstr("time stamp at"));
}

// A release that this process recorded.
class ReceiptStampingTest : public StampingCommandsTest {
 protected:
  void SetUp() override {
    StampingCommandsTest::SetUp();
    config_.mutable_stamping_authority()->set_url(authority_.Url(path_));
    process_ = Start();
    ASSERT_NE(process_, nullptr);
    running_.emplace(*process_);
    ASSERT_TRUE(Eventually([&] { return process_->ChannelTo("oem", "node").ok(); }));
    const auto invitation = InviteProcess("operator");
    ASSERT_THAT(invitation, IsOk());
    ASSERT_THAT(WriteText(dir_.File("operator-code"), invitation->code() + "\n"), IsOk());
    const std::string listen = *ReadFile(config_.data_dir() + "/listen", 256);
    EnrolOperator("oem", dir_.File("operator-code"),
                  absl::StrCat("node: ", absl::StripAsciiWhitespace(listen), "\n"));
    ASSERT_THAT(WriteText(receipt_, audit::ArmorReceipt(Receipt())), IsOk());
  }
  audit::v1::Receipt Receipt() {
    audit::v1::Record record;
    *record.mutable_time() = ToProto(clock_.Now());
    record.mutable_release()->set_provider(did_);
    record.mutable_release()->set_content_digest(crypto::Sha256("content"));
    audit::v1::Receipt receipt;
    *receipt.mutable_proof() = Append(*process_, record);
    identity::v1::SignedDirectory directory;
    EXPECT_TRUE(directory.ParseFromString(*ReadFile(config_.data_dir() + "/directory", 1 << 20)));
    for (const std::string& der : directory.chain()) receipt.add_directory_chain(der);
    identity::v1::Directory listed;
    EXPECT_TRUE(listed.ParseFromString(directory.directory().payload()));
    for (const auto& entry : listed.entries()) {
      identity::v1::Participant participant;
      if (participant.ParseFromString(entry.payload()) && participant.did() == did_)
        *receipt.mutable_provider_entry() = entry;
    }
    return receipt;
  }
  Result Verify(std::vector<std::string> more) const {
    more.insert(more.begin(), {"receipt", "verify", receipt_, "--root", dir_.File("oem-profile/root.crt")});
    return Tsunagi("oem", std::move(more));
  }

  std::string path_ = "/stamp";  // of the authority
  const std::string receipt_ = dir_.File("receipt");
  std::unique_ptr<ParticipantProcess> process_;
  std::optional<Running> running_;
};

TEST_F(ReceiptStampingTest, AReceiptTakesItsStampAlong) {
  EXPECT_TRUE(Verify({}).json()["receipts"][0]["time_stamp"].is_null());
  Result stamped;
  ASSERT_TRUE(Eventually([&] {
    stamped = Tsunagi("oem", {"receipt", "stamp", receipt_, "--stamping-root", authority_.root_file()});
    return stamped.code == cli::kExitOk;
  })) << stamped.err;
  EXPECT_EQ(stamped.json()["receipts"][0]["time_stamp"]["verified"], true);
  struct stat info = {};
  ASSERT_EQ(::stat(receipt_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);

  // From here on nobody is there to be asked.
  running_.reset();
  registrar_.reset();

  const Result verified = Verify({"--stamping-root", authority_.root_file()});
  EXPECT_EQ(verified.code, cli::kExitOk) << verified.err;
  const Json stamp = verified.json()["receipts"][0]["time_stamp"];
  EXPECT_EQ(stamp["verified"], true);
  EXPECT_EQ(stamp["authority"], "CN=stamping signer");
  EXPECT_THAT(stamp["stamped_at"].get<std::string>(), HasSubstr("T"));
  EXPECT_EQ(Verify({}).json()["receipts"][0]["time_stamp"], Json({{"verified", false}}));
  const testing::StampingServer other;
  const Result refused = Verify({"--stamping-root", other.root_file()});
  EXPECT_NE(refused.code, cli::kExitOk);
  EXPECT_EQ(refused.json()["receipts"][0]["valid"], false);
}

class NoStampYetTest : public ReceiptStampingTest {
 protected:
  NoStampYetTest() { path_ = "/busy"; }
};

TEST_F(NoStampYetTest, NothingIsWritten) {
  const std::string before = *ReadFile(receipt_, 1 << 20);

  const Result result = Tsunagi("oem", {"receipt", "stamp", receipt_});

  EXPECT_NE(result.code, cli::kExitOk);
  EXPECT_THAT(result.err, HasSubstr("no stamped checkpoint"));
  EXPECT_EQ(*ReadFile(receipt_, 1 << 20), before);
}

}  // namespace
}  // namespace tsunagi::process
