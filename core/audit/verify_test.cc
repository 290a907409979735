#include "core/audit/verify.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/journal_fixture_for_test.h"
#include "core/audit/log_table.h"

namespace tsunagi::audit {
namespace {

using store::Table;
using ::testing::HasSubstr;
using ::tsunagi::testing::IsOk;
using ::tsunagi::testing::StatusIs;

class VerifyTest : public JournalFixture {
 protected:
  void SetUp() override {
    OpenJournal();
    for (int i = 0; i < 9; ++i) Append(absl::StrCat("record ", i));
    leaves_ = journal_->Leaves(0, 100).value();
    note_ = journal_->LatestCheckpoint();
  }
  absl::StatusOr<Checkpoint> VerifyAll() const {
    LogVerifier verifier;
    for (const Journal::Leaf& leaf : leaves_) {
      if (const absl::Status added = verifier.Add(leaf); !added.ok()) return added;
    }
    return verifier.Finish(note_, kTestOrigin, TestLogKey().public_key());
  }

  std::vector<Journal::Leaf> leaves_;
  std::string note_;
};

TEST_F(VerifyTest, AcceptsTheWholeLog) {
  const absl::StatusOr<Checkpoint> checkpoint = VerifyAll();

  ASSERT_THAT(checkpoint, IsOk());
  EXPECT_EQ(checkpoint->size, 9u);
}

TEST_F(VerifyTest, CountsErasedRecords) {
  leaves_[3].record.clear();
  leaves_[3].salt.clear();
  LogVerifier verifier;
  for (const Journal::Leaf& leaf : leaves_) ASSERT_THAT(verifier.Add(leaf), IsOk());

  EXPECT_EQ(verifier.erased(), 1u);
  EXPECT_THAT(verifier.Finish(note_, kTestOrigin, TestLogKey().public_key()), IsOk());
}

TEST_F(VerifyTest, FindsEveryFlippedByteOfEveryLeaf) {
  const std::vector<Journal::Leaf> good = leaves_;
  for (size_t i = 0; i < good.size(); ++i) {
    for (std::string Journal::Leaf::*field :
         {&Journal::Leaf::commitment, &Journal::Leaf::record, &Journal::Leaf::salt}) {
      for (size_t byte = 0; byte < (good[i].*field).size(); ++byte) {
        leaves_ = good;
        std::string& value = leaves_[i].*field;
        value[byte] = static_cast<char>(value[byte] ^ 1);
        EXPECT_THAT(VerifyAll(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(absl::StrCat("leaf ", i))));
      }
    }
  }
}

TEST_F(VerifyTest, FindsALeafThatIsMissing) {
  leaves_.erase(leaves_.begin() + 4);

  EXPECT_THAT(VerifyAll(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("leaf 5 came where leaf 4")));
}

TEST_F(VerifyTest, FindsThatTheEndIsMissing) {
  leaves_.pop_back();

  EXPECT_THAT(VerifyAll(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("8 leaves where the checkpoint states 9")));
}

TEST_F(VerifyTest, FindsALeafThatWasExchangedWithItsRecord) {
  leaves_[2].record = "another";
  leaves_[2].commitment = Commitment(leaves_[2].salt, leaves_[2].record);

  EXPECT_THAT(VerifyAll(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("root")));
}

TEST_F(VerifyTest, FindsARecordWithoutItsSalt) {
  leaves_[2].salt.clear();

  EXPECT_THAT(VerifyAll(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(VerifyTest, FindsACommitmentOfAnotherSize) {
  leaves_[2] = {2, "short", "", ""};

  EXPECT_THAT(VerifyAll(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("32 bytes")));
}

TEST_F(VerifyTest, RefusesANoteOfAnotherLog) {
  LogVerifier verifier;

  EXPECT_THAT(verifier.Finish(note_, "oem.battery.example/node", TestLogKey().public_key()),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(VerifyTest, ReadsAJournalInPages) {
  for (int i = 0; i < 1500; ++i) journal_->Submit(RecordOnly("r"), [](absl::StatusOr<Committed>) {});
  Append("last");

  const absl::StatusOr<Checkpoint> checkpoint = VerifyWholeLog(*journal_);

  ASSERT_THAT(checkpoint, IsOk());
  EXPECT_EQ(checkpoint->size, 1510u);
}

TEST_F(VerifyTest, FindsARewrittenRecordInTheStore) {
  const std::string salt(16, 's');
  ASSERT_THAT(memory_->Apply({store::Put(Table::kRecords, RecordKey(5), salt + "rewritten")}), IsOk());

  EXPECT_THAT(VerifyWholeLog(*journal_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("leaf 5")));
}

TEST_F(VerifyTest, FindsARewrittenLeafInTheStore) {
  const std::string salt(16, 's');
  ASSERT_THAT(memory_->Apply({store::Put(Table::kRecords, RecordKey(5), salt + "rewritten"),
                              store::Put(Table::kLog, LeafKey(5), Commitment(salt, "rewritten"))}),
              IsOk());

  EXPECT_THAT(VerifyWholeLog(*journal_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("root")));
}

}  // namespace
}  // namespace tsunagi::audit
