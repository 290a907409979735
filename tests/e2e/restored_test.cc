// A process whose store was restored from an older copy.
#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/identity/registrar_process.h"
#include "services/ops/operations_service.h"
#include "services/process/health.h"
#include "services/process/participant_process.h"
#include "tests/e2e/process_for_test.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::process {
namespace {

using testing::Eventually;
using testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::SizeIs;
using testing::StatusIs;

// A log of two records, the registrar's cosignature on it, and a copy of the store from when it had one.
class RestoredProcessTest : public ProcessTest {
 protected:
  void SetUp() override {
    ProcessTest::SetUp();
    Grow("first");
    std::filesystem::copy(Store(), dir_.File("copy"), std::filesystem::copy_options::recursive);
    Grow("second");
  }
  std::string Store() const { return config_.data_dir() + "/store"; }
  void Restore() {
    std::filesystem::remove_all(Store());
    std::filesystem::rename(dir_.File("copy"), Store());
  }
  static absl::Status Write(ParticipantProcess& process, const std::string& record) {
    audit::Commit commit;
    commit.record = record;
    return process.journal().SubmitAndWait(std::move(commit)).status();
  }
  void Grow(const std::string& record) {
    const auto process = Start();
    ASSERT_NE(process, nullptr);
    const auto cosigned = [&] {
      return process->journal().store().Get(store::Table::kState, ops::CosignedKey()).value_or("");
    };
    const std::string before = cosigned();
    ASSERT_THAT(Write(*process, record), IsOk());
    const Running running(*process);
    ASSERT_TRUE(Eventually([&] { return cosigned() != before; }));
  }
  void ExpectRefused(ParticipantProcess& process) {
    EXPECT_THAT(Write(process, "refused"),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("restored from an older copy")));
    const auto health = CheckHealth(config_, "node");
    ASSERT_THAT(health, IsOk());
    EXPECT_EQ(health->state(), ops::v1::HEALTH_STATE_NOT_SERVING);
    EXPECT_THAT(health->notes(), testing::Contains(HasSubstr("restored from an older copy")));
  }
};

TEST_F(RestoredProcessTest, WritesNothingFromTheFirstCallOn) {
  Restore();
  const auto process = Start();
  ASSERT_NE(process, nullptr);

  const Running running(*process);

  ASSERT_TRUE(Eventually([&] { return CheckHealth(config_, "node").ok(); }));
  ExpectRefused(*process);
  EXPECT_THAT(process->journal().Leaves(0, 10), IsOkAndHolds(SizeIs(1))) << "reads go on";
}

TEST_F(RestoredProcessTest, WritesNoMoreOnceTheRegistrarSeesTheFork) {
  Restore();
  registrar_.reset();
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  const Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy(); }));
  for (const char* record : {"other", "history"}) ASSERT_THAT(Write(*process, record), IsOk());

  StartRegistrar(address_, est_address_);

  ASSERT_TRUE(Eventually([&] { return !Healthy(); }));
  ExpectRefused(*process);
}

TEST_F(RestoredProcessTest, GoesOnWithTheNewestStore) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);

  const Running running(*process);

  ASSERT_TRUE(Eventually([&] { return Healthy(); }));
  EXPECT_THAT(Write(*process, "third"), IsOk());
}

}  // namespace
}  // namespace tsunagi::process
