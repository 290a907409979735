#include "core/audit/checkpoint.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/base/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::audit {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::tsunagi::testing::IsOk;
using ::tsunagi::testing::IsOkAndHolds;
using ::tsunagi::testing::StatusIs;

constexpr char kOrigin[] = "cell-maker.battery.example/node";
constexpr char kWitness[] = "registrar.battery.example";

// The example key of Go's sumdb/note package:
// PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW.
const crypto::PrivateKey& PublishedKey() {
  static const auto& key = *new crypto::PrivateKey(
      crypto::PrivateKey::FromPem("-----BEGIN PRIVATE KEY-----\n"
                                  "MC4CAQAwBQYDK2VwBCIEIIEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n"
                                  "-----END PRIVATE KEY-----\n")
          .value());
  return key;
}

Checkpoint ThreeLeaves() {
  return {kOrigin, 3, FromHex("aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77").value()};
}

// Made by an independent implementation of c2sp.org/signed-note and tlog-cosignature.
constexpr char kNote[] =
    "cell-maker.battery.example/node\n"
    "3\n"
    "rra8/idLcKFPsGel5VeCZNsPqbUa9eC6FZFY8yngbnc=\n"
    "\n"
    "— cell-maker.battery.example/node "
    "x+cA4Fr9nMfgQ0Vs3aR3YpZddzPNxv9ZiMtJkN7bgmbVnu4UfaCkK9oLezEuv8v/fvlKrUofXjjAIB4Au1RPv2iPkQc=\n";
constexpr char kCosignature[] =
    "— registrar.battery.example "
    "CaYCSgAAAABrAN8AKr7Dy4Aq2Sqp494CgvlP2xSpCxNNyR03zkvgezZEvwbAKL9E8vhIPfCAgcPkMRhE/"
    "aYREAYm5TSVXxf+Wv4ZBA==\n";
constexpr int64_t kCosignedAt = 1795219200;

absl::StatusOr<Checkpoint> Open(absl::string_view note) {
  return OpenCheckpoint(note, kOrigin, PublishedKey().public_key());
}

TEST(CheckpointTest, SignsTheBytesThatOthersSign) {
  EXPECT_EQ(SignCheckpoint(ThreeLeaves(), PublishedKey()), kNote);
}

TEST(CheckpointTest, HasThePublishedKeyId) {
  const std::string note = SignCheckpoint({"PeterNeumann", 0, std::string(32, 'r')}, PublishedKey());

  const std::vector<std::string> lines = absl::StrSplit(note, '\n');
  EXPECT_THAT(lines[4], StartsWith("— PeterNeumann x08go")) << "base64 of c74f20a3";
}

TEST(CheckpointTest, OpensWhatWasSigned) {
  const absl::StatusOr<Checkpoint> opened = Open(kNote);

  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->origin, kOrigin);
  EXPECT_EQ(opened->size, 3u);
  EXPECT_EQ(opened->root, ThreeLeaves().root);
}

TEST(CheckpointTest, OpensAnEmptyTreeAndTheLargest) {
  for (const uint64_t size : {uint64_t{0}, UINT64_MAX}) {
    const std::string note = SignCheckpoint({kOrigin, size, std::string(32, 'r')}, PublishedKey());
    EXPECT_EQ(Open(note).value().size, size);
  }
}

TEST(CheckpointTest, IgnoresLinesOfUnknownKeys) {
  const std::string note = absl::StrCat(kNote, "— other.example/x ", ToBase64("1234signature"), "\n— ",
                                        kOrigin, " ", ToBase64("1234signature"), "\n");

  EXPECT_THAT(Open(note), IsOk());
  EXPECT_THAT(SignatureLineCount(note), IsOkAndHolds(3));
}

TEST(CheckpointTest, RefusesEveryFlippedByteAndEveryTruncation) {
  const std::string note = kNote;
  for (size_t i = 0; i < note.size(); ++i) {
    for (const int bit : {1, 2, 0x20, 0x80}) {
      std::string flipped = note;
      flipped[i] = static_cast<char>(flipped[i] ^ bit);
      EXPECT_THAT(Open(flipped), StatusIs(absl::StatusCode::kDataLoss)) << "byte " << i;
    }
    EXPECT_THAT(Open(note.substr(0, i)), StatusIs(absl::StatusCode::kDataLoss)) << "cut at " << i;
  }
}

TEST(CheckpointTest, RefusesAnotherKeyOrOrigin) {
  const crypto::PrivateKey other = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);

  EXPECT_THAT(OpenCheckpoint(kNote, kOrigin, other.public_key()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no signature of log key")));
  EXPECT_THAT(OpenCheckpoint(kNote, "oem.battery.example/node", PublishedKey().public_key()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("expected `oem.battery.example/node`")));
}

// Signs any body, so that what is refused is the body and not its signature.
std::string SignBody(const std::string& body) {
  const std::string good = SignCheckpoint({kOrigin, 0, std::string(32, 'r')}, PublishedKey());
  const std::string line = good.substr(good.rfind("\n\n") + 2);
  const std::string start = line.substr(0, line.rfind(' ') + 1);
  const std::string key_id =
      FromBase64(line.substr(start.size(), line.size() - start.size() - 1)).value().substr(0, 4);
  return absl::StrCat(body, "\n", start, ToBase64(key_id + PublishedKey().Sign(body)), "\n");
}

struct BadNote {
  const char* name;
  std::string note;
};

std::string RootText() { return ToBase64(std::string(32, 'r')); }

std::vector<BadNote> BadNotes() {
  const std::string origin = kOrigin;
  const std::string root = RootText();
  const std::string line = std::string(kNote).substr(std::string(kNote).rfind("\n\n") + 2);
  std::string many = kNote;
  for (int i = 0; i < 40; ++i) absl::StrAppend(&many, "— w", i, ".example ", ToBase64("1234signature"), "\n");
  std::string lax_root = root;
  lax_root[lax_root.size() - 2] = static_cast<char>(lax_root[lax_root.size() - 2] + 1);
  return {
      {"Empty", ""},
      {"NoSignature", absl::StrCat(origin, "\n3\n", root, "\n\n")},
      {"NoBlankLine", absl::StrCat(origin, "\n3\n", root, "\n", line)},
      {"LeadingZero", SignBody(absl::StrCat(origin, "\n03\n", root, "\n"))},
      {"PlusSign", SignBody(absl::StrCat(origin, "\n+3\n", root, "\n"))},
      {"SpaceBeforeSize", SignBody(absl::StrCat(origin, "\n 3\n", root, "\n"))},
      {"NegativeSize", SignBody(absl::StrCat(origin, "\n-3\n", root, "\n"))},
      {"SizeTooLarge", SignBody(absl::StrCat(origin, "\n18446744073709551616\n", root, "\n"))},
      {"EmptySize", SignBody(absl::StrCat(origin, "\n\n", root, "\n"))},
      {"HexSize", SignBody(absl::StrCat(origin, "\n0x3\n", root, "\n"))},
      {"ExtensionLine", SignBody(absl::StrCat(origin, "\n3\n", root, "\nmore\n"))},
      {"MissingRoot", SignBody(absl::StrCat(origin, "\n3\n"))},
      {"ShortRoot", SignBody(absl::StrCat(origin, "\n3\n", ToBase64(std::string(31, 'r')), "\n"))},
      {"UnpaddedRoot", SignBody(absl::StrCat(origin, "\n3\n", root.substr(0, root.size() - 1), "\n"))},
      {"LaxRoot", SignBody(absl::StrCat(origin, "\n3\n", lax_root, "\n"))},
      {"CarriageReturns", SignBody(absl::StrCat(origin, "\r\n3\r\n", root, "\r\n"))},
      {"EmptyOrigin", SignBody(absl::StrCat("\n3\n", root, "\n"))},
      {"RepeatedLine", absl::StrCat(kNote, line)},
      {"TooManyLines", many},
      {"TooLong", absl::StrCat(kNote, "— ", std::string(20000, 'x'), " ", ToBase64("1234s"), "\n")},
      {"LineWithoutName", absl::StrCat(kNote, "—  ", ToBase64("1234s"), "\n")},
      {"NameWithPlus", absl::StrCat(kNote, "— a+b ", ToBase64("1234s"), "\n")},
      {"NameWithControl", absl::StrCat(kNote, "— a\tb ", ToBase64("1234s"), "\n")},
      {"NameWithNoBreakSpace", absl::StrCat(kNote,
                                            "— a\xc2\xa0"
                                            "b ",
                                            ToBase64("1234s"), "\n")},
      {"HyphenForDash", absl::StrCat(kNote, "- a ", ToBase64("1234s"), "\n")},
      {"SignatureOfOnlyAKeyId", absl::StrCat(kNote, "— a ", ToBase64("1234"), "\n")},
      {"TrailingText", absl::StrCat(kNote, "x")},
      {"TrailingBlankLine", absl::StrCat(kNote, "\n")},
  };
}

class BadNoteTest : public ::testing::TestWithParam<BadNote> {};

TEST_P(BadNoteTest, IsRefused) {
  const crypto::PrivateKey witness = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);

  EXPECT_THAT(Open(GetParam().note), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(SignatureLineCount(GetParam().note), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Cosign(GetParam().note, kWitness, witness, absl::FromUnixSeconds(1)),
              StatusIs(absl::StatusCode::kDataLoss));
}

INSTANTIATE_TEST_SUITE_P(Attacks, BadNoteTest, ::testing::ValuesIn(BadNotes()),
                         [](const auto& param) { return param.param.name; });

TEST(CheckpointTest, SignBodyMakesGoodNotesOfGoodBodies) {
  EXPECT_THAT(Open(SignBody(absl::StrCat(kOrigin, "\n3\n", RootText(), "\n"))), IsOk());
}

TEST(CosignatureTest, IsTheBytesThatOthersMake) {
  EXPECT_THAT(
      Cosign(kNote, kWitness, PublishedKey(), absl::FromUnixSeconds(kCosignedAt) + absl::Milliseconds(900)),
      IsOkAndHolds(absl::StrCat(kNote, kCosignature)));
}

TEST(CosignatureTest, TellsItsTime) {
  EXPECT_THAT(CosignatureTime(absl::StrCat(kNote, kCosignature), kWitness, PublishedKey().public_key()),
              IsOkAndHolds(absl::FromUnixSeconds(kCosignedAt)));
}

TEST(CosignatureTest, LeavesTheLogsSignatureValid) {
  EXPECT_THAT(Open(absl::StrCat(kNote, kCosignature)), IsOk());
  EXPECT_THAT(SignatureLineCount(absl::StrCat(kNote, kCosignature)), IsOkAndHolds(2));
}

TEST(CosignatureTest, IsNotFoundWhereThereIsNone) {
  EXPECT_THAT(CosignatureTime(kNote, kWitness, PublishedKey().public_key()),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(
      CosignatureTime(absl::StrCat(kNote, kCosignature), "other.example", PublishedKey().public_key()),
      StatusIs(absl::StatusCode::kNotFound));
}

TEST(CosignatureTest, IsNotMadeTwice) {
  EXPECT_THAT(
      Cosign(absl::StrCat(kNote, kCosignature), kWitness, PublishedKey(), absl::FromUnixSeconds(kCosignedAt)),
      StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST(CosignatureTest, IsNeverAcceptedWithAFlippedByte) {
  const std::string line = kCosignature;
  for (size_t i = 0; i < line.size(); ++i) {
    std::string flipped = line;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_FALSE(CosignatureTime(absl::StrCat(kNote, flipped), kWitness, PublishedKey().public_key()).ok())
        << i;
  }
}

TEST(CosignatureTest, OfAnotherCheckpointIsRefused) {
  const std::string other = SignCheckpoint({kOrigin, 4, ThreeLeaves().root}, PublishedKey());

  EXPECT_THAT(CosignatureTime(absl::StrCat(other, kCosignature), kWitness, PublishedKey().public_key()),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(CosignatureTest, ThatIsTheLogsSignatureIsRefused) {
  // The same key under another type has another key id: a log's line never passes as a cosignature.
  EXPECT_THAT(CosignatureTime(kNote, kOrigin, PublishedKey().public_key()),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace tsunagi::audit
