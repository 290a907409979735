#include "core/audit/receipt.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/journal_fixture_for_test.h"
#include "core/base/bytes.h"
#include "core/base/proto.h"
#include "core/crypto/envelope.h"

namespace tsunagi::audit {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::tsunagi::testing::IsOk;
using ::tsunagi::testing::StatusIs;

class LogProofTest : public JournalFixture {
 protected:
  void SetUp() override {
    OpenJournal();
    for (int i = 0; i < 5; ++i) Append("before");
    proof_ = Append("the record");
  }
  v1::LogProof proof_;
};

TEST_F(LogProofTest, VerifiesWithoutTheLog) {
  const absl::StatusOr<Checkpoint> checkpoint = Verify(proof_);

  ASSERT_THAT(checkpoint, IsOk());
  EXPECT_EQ(checkpoint->size, 6u);
}

TEST_F(LogProofTest, RefusesAnotherRecord) {
  proof_.set_record("the recorD");

  EXPECT_THAT(Verify(proof_), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(LogProofTest, RefusesASaltOfAnotherLength) {
  // 15 bytes of salt and a byte more of record would give the same bytes to hash.
  proof_.set_record(proof_.salt().substr(15) + proof_.record());
  proof_.set_salt(proof_.salt().substr(0, 15));

  EXPECT_THAT(Verify(proof_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("salt of 16 bytes")));
}

TEST_F(LogProofTest, RefusesAnotherIndex) {
  for (const uint64_t index : {uint64_t{0}, uint64_t{4}, uint64_t{6}, UINT64_MAX}) {
    proof_.set_leaf_index(index);
    EXPECT_THAT(Verify(proof_), StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST_F(LogProofTest, RefusesALongerPath) {
  proof_.add_path(std::string(32, '\0'));

  EXPECT_THAT(Verify(proof_), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(LogProofTest, RefusesACheckpointOfSizeZero) {
  proof_.set_checkpoint(SignCheckpoint({kTestOrigin, 0, RootOf({})}, TestLogKey()));

  EXPECT_THAT(Verify(proof_), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(LogProofTest, RefusesACheckpointOfAnotherLog) {
  EXPECT_THAT(VerifyLogProof(proof_, "oem.battery.example/node", TestLogKey().public_key()),
              StatusIs(absl::StatusCode::kDataLoss));
}

// A receipt as a consumer keeps it, and the checks that a verifier makes with what core knows.
class ReceiptTest : public LogProofTest {
 protected:
  void SetUp() override {
    LogProofTest::SetUp();
    content_ = "state of health 91.5";
    *receipt_.mutable_proof() = Append(absl::StrCat("digest ", ToHex(crypto::Sha256(content_))));
    *receipt_.mutable_provider_entry() = crypto::Sign(directory_key_, "tsunagi/participant/v1", "provider");
    receipt_.add_directory_chain("certificate");
    receipt_.set_content(content_);
  }

  bool Accepts(absl::string_view text) const {
    const absl::StatusOr<v1::Receipt> receipt = OpenReceipt(text);
    if (!receipt.ok()) return false;
    const std::string record = absl::StrCat("digest ", ToHex(crypto::Sha256(receipt->content())));
    return Verify(receipt->proof()).ok() && receipt->proof().record() == record &&
           SignatureLineCount(receipt->proof().checkpoint()).value() == 1 &&
           crypto::Verify(receipt->provider_entry(), "tsunagi/participant/v1", directory_key_.public_key())
               .ok() &&
           receipt->provider_entry().payload() == "provider" && receipt->directory_chain_size() == 1 &&
           receipt->directory_chain(0) == "certificate";
  }

  const crypto::PrivateKey directory_key_ =
      crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  std::string content_;
  v1::Receipt receipt_;
};

TEST_F(ReceiptTest, IsOneLineOfBase64UnderItsName) {
  const std::string text = ArmorReceipt(receipt_);

  EXPECT_THAT(text, StartsWith("tsunagi-receipt/v1\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(text.back(), '\n');
}

TEST_F(ReceiptTest, OpensAsItWasArmored) {
  const absl::StatusOr<v1::Receipt> opened = OpenReceipt(ArmorReceipt(receipt_));

  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(Encode(*opened), Encode(receipt_));
  EXPECT_TRUE(Accepts(ArmorReceipt(receipt_)));
}

TEST_F(ReceiptTest, FailsWithAnyFlippedByte) {
  const std::string text = ArmorReceipt(receipt_);
  for (size_t i = 0; i < text.size(); ++i) {
    for (const int bit : {0x01, 0x20, 0x80}) {
      std::string flipped = text;
      flipped[i] = static_cast<char>(flipped[i] ^ bit);
      EXPECT_FALSE(Accepts(flipped)) << "byte " << i << " of " << text.size();
    }
  }
}

TEST_F(ReceiptTest, FailsWithAnyFlippedBitInside) {
  const std::string bytes = Encode(receipt_);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
    EXPECT_FALSE(Accepts(absl::StrCat("tsunagi-receipt/v1\n", ToBase64(flipped), "\n"))) << "byte " << i;
  }
}

TEST_F(ReceiptTest, FailsWhenCutShort) {
  const std::string text = ArmorReceipt(receipt_);
  for (size_t i = 0; i < text.size(); ++i)
    EXPECT_THAT(OpenReceipt(text.substr(0, i)).ok(), ::testing::IsFalse()) << i;
}

struct BadText {
  const char* name;
  std::string text;
};

class BadReceiptTest : public ::testing::TestWithParam<BadText> {};

TEST_P(BadReceiptTest, IsInvalid) {
  EXPECT_THAT(OpenReceipt(GetParam().text), StatusIs(absl::StatusCode::kInvalidArgument));
}

std::string WithBody(const std::string& bytes) {
  return absl::StrCat("tsunagi-receipt/v1\n", ToBase64(bytes), "\n");
}

std::vector<BadText> BadTexts() {
  v1::Receipt receipt;
  receipt.set_content("c");
  const std::string good = ArmorReceipt(receipt);
  return {
      {"Nothing", ""},
      {"AnotherVersion", "tsunagi-receipt/v2\n" + good.substr(good.find('\n') + 1)},
      {"NoLastLineFeed", good.substr(0, good.size() - 1)},
      {"TwoLastLineFeeds", good + "\n"},
      {"SpaceInside", "tsunagi-receipt/v1\n Igj\n"},
      {"FoldedLine", "tsunagi-receipt/v1\n" +
                         ToBase64("\x22\x01"
                                  "c")
                             .substr(0, 2) +
                         "\n" +
                         ToBase64("\x22\x01"
                                  "c")
                             .substr(2) +
                         "\n"},
      {"CarriageReturn", "tsunagi-receipt/v1\r\nIgFj\r\n"},
      {"UnknownField", WithBody("\x22\x01"
                                "c"
                                "\x78\x01")},
      {"LongLength", WithBody("\x22\x81" + std::string(1, '\0') + "c")},
      {"FieldTwice", WithBody("\x22\x01"
                              "c"
                              "\x22\x01"
                              "c")},
      {"DefaultValueWritten", WithBody(std::string("\x22\x00", 2))},
      {"NoProtobuf", WithBody("\xff\xff")},
  };
}

INSTANTIATE_TEST_SUITE_P(Encodings, BadReceiptTest, ::testing::ValuesIn(BadTexts()),
                         [](const auto& param) { return param.param.name; });

TEST(ReceiptSizeTest, IsBounded) {
  EXPECT_THAT(OpenReceipt(absl::StrCat("tsunagi-receipt/v1\n", std::string(size_t{17} << 20, 'A'), "\n")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("16 MiB")));
}

TEST(ReceiptOfRecordTest, RefusesAnIndexThatTheChunkDoesNotHave) {
  google::protobuf::RepeatedPtrField<std::string> contents;
  *contents.Add() = "a";

  EXPECT_THAT(ReceiptOfRecord({}, contents, 0), IsOk());
  EXPECT_THAT(ReceiptOfRecord({}, contents, 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("`index`")));
}

}  // namespace
}  // namespace tsunagi::audit
