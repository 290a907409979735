#include "core/audit/stamp.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/journal_fixture_for_test.h"
#include "core/audit/merkle.h"
#include "core/base/bytes.h"

namespace tsunagi::audit {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::tsunagi::testing::IsOk;
using ::tsunagi::testing::IsOkAndHolds;
using ::tsunagi::testing::StatusIs;
using enum absl::StatusCode;

class KeptStampsTest : public ::testing::Test {
 protected:
  void Keep(uint64_t size) {
    KeptStamp kept{size, {}};
    kept.stamp.set_checkpoint(absl::StrCat("note of ", size));
    ASSERT_THAT(store_->Apply({PutStamp(kept)}), IsOk());
  }
  std::vector<uint64_t> SizesFrom(uint64_t size, size_t limit = 10) const {
    std::vector<uint64_t> sizes;
    const std::vector<KeptStamp> found = StampsFrom(*store_, size, limit).value();
    for (const KeptStamp& kept : found) {
      EXPECT_EQ(kept.stamp.checkpoint(), absl::StrCat("note of ", kept.size));
      sizes.push_back(kept.size);
    }
    return sizes;
  }

  const std::unique_ptr<store::Store> store_ = store::NewMemoryStore();
};

TEST_F(KeptStampsTest, ComeInOrderOfTheirSizes) {
  for (const uint64_t size : {300, 2, 70000}) Keep(size);
  // Of another kind, and one that begins alike.
  ASSERT_THAT(store_->Apply({store::Put(store::Table::kState, "stamper", ""),
                             store::Put(store::Table::kState, "t", "")}),
              IsOk());

  EXPECT_EQ(SizesFrom(0), (std::vector<uint64_t>{2, 300, 70000}));
  EXPECT_EQ(SizesFrom(3), (std::vector<uint64_t>{300, 70000}));
  EXPECT_EQ(SizesFrom(300, 1), (std::vector<uint64_t>{300}));
  EXPECT_THAT(SizesFrom(70001), IsEmpty());
}

TEST_F(KeptStampsTest, TellWhichIsTheLargest) {
  EXPECT_THAT(StampedSize(*store_, 1000), IsOkAndHolds(0u));
  EXPECT_THAT(StampedSize(*store_, 0), IsOkAndHolds(0u));
  for (const uint64_t size : {1, 2, 3, 17, 999, 1000}) {
    Keep(size);
    EXPECT_THAT(StampedSize(*store_, 1000), IsOkAndHolds(size));
  }
}

TEST_F(KeptStampsTest, AreDataLossWhenTheyCannotBeRead) {
  store::Write damaged = PutStamp({7, {}});
  damaged.value = "\xFF";
  ASSERT_THAT(store_->Apply({damaged}), IsOk());

  EXPECT_THAT(StampsFrom(*store_, 0, 10), StatusIs(kDataLoss, HasSubstr("size 7")));
}

class ReceiptStampTest : public JournalFixture {
 protected:
  void SetUp() override {
    OpenJournal();
    for (int i = 0; i < 3; ++i) Append("before");
    note_ = Append("the record").checkpoint();
    for (int i = 0; i < 3; ++i) Append("after");
    stamp_ = StampOf(journal_->LatestCheckpoint());
  }
  Checkpoint Open(const std::string& note) const {
    return OpenCheckpoint(note, kTestOrigin, TestLogKey().public_key()).value();
  }
  v1::ReceiptStamp StampOf(const std::string& note) const {
    v1::ReceiptStamp stamp;
    stamp.mutable_stamp()->set_checkpoint(note);
    stamp.mutable_stamp()->set_token("token");
    const auto proof = journal_->ConsistencyProof(Open(note_).size, Open(note).size);
    for (const Digest& digest : *proof) stamp.add_consistency(digest);
    return stamp;
  }
  absl::Status Check() const { return CheckCovers(stamp_, Open(note_), TestLogKey().public_key()); }

  std::string note_;  // of the receipt
  v1::ReceiptStamp stamp_;
};

TEST_F(ReceiptStampTest, CoversAnEarlierCheckpointOfTheSameLog) {
  EXPECT_THAT(Check(), IsOk());
  stamp_ = StampOf(note_);
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(ReceiptStampTest, CoversNoCheckpointOfAnotherHistory) {
  Checkpoint forked = Open(note_);
  forked.root = RootOf({});
  EXPECT_THAT(CheckCovers(stamp_, forked, TestLogKey().public_key()),
              StatusIs(kDataLoss, HasSubstr("does not cover")));
  stamp_.mutable_consistency()->RemoveLast();
  EXPECT_THAT(Check(), StatusIs(kDataLoss, HasSubstr("does not cover")));
}

TEST_F(ReceiptStampTest, CoversNothingOfALongerLog) {
  Checkpoint longer = Open(journal_->LatestCheckpoint());
  stamp_ = StampOf(note_);
  stamp_.clear_consistency();

  EXPECT_THAT(CheckCovers(stamp_, longer, TestLogKey().public_key()), StatusIs(kDataLoss));
}

TEST_F(ReceiptStampTest, CoversNothingOfAnotherLogOrKey) {
  const auto other_key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  Checkpoint elsewhere = Open(note_);
  elsewhere.origin = "workshop.battery.example/catalog";

  EXPECT_THAT(CheckCovers(stamp_, Open(note_), other_key.public_key()),
              StatusIs(kDataLoss, HasSubstr("the stamped checkpoint")));
  EXPECT_THAT(CheckCovers(stamp_, elsewhere, TestLogKey().public_key()),
              StatusIs(kDataLoss, HasSubstr("the stamped checkpoint")));
}

TEST_F(ReceiptStampTest, StandsBelowAReceiptInOneEncoding) {
  const std::string block = ArmorStamp(stamp_);
  const std::string text = absl::StrCat("tsunagi-receipt/v1\nAA==\n", block);

  const ReceiptFile file = SplitReceiptFile(text);

  EXPECT_EQ(file.receipt, "tsunagi-receipt/v1\nAA==\n");
  EXPECT_EQ(file.stamp, block);
  EXPECT_EQ(OpenStamp(file.stamp)->SerializeAsString(), stamp_.SerializeAsString());
  EXPECT_EQ(SplitReceiptFile("tsunagi-receipt/v1\nAA==\n").stamp, "");
}

TEST_F(ReceiptStampTest, RefusesOtherTextsOfTheSame) {
  const std::string block = ArmorStamp(stamp_);
  v1::ReceiptStamp unknown = stamp_;
  unknown.GetReflection()->MutableUnknownFields(&unknown)->AddVarint(15, 1);

  for (const std::string& bad :
       {block + "\n", block + block, block.substr(0, block.size() - 1), absl::StrCat(" ", block),
        absl::StrCat("tsunagi-stamp/v2", block.substr(16)), ArmorStamp(unknown),
        absl::StrCat("tsunagi-stamp/v1\n", ToBase64("\xFF"), "\n"), std::string(200 << 10, 'A')}) {
    EXPECT_THAT(OpenStamp(bad), StatusIs(kInvalidArgument)) << bad.substr(0, 80);
  }
}

}  // namespace
}  // namespace tsunagi::audit
