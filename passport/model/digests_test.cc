#include "passport/model/digests.h"

#include <string>

#include "core/audit/merkle.h"
#include "core/base/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "passport/model/slots.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::passport {
namespace {

using testing::IsOk;
using testing::StatusIs;

// 00 01 02 … 0f
std::string Salt() {
  std::string salt;
  for (char c = 0; c < 16; ++c) salt.push_back(c);
  return salt;
}

// The expected values come from the script in docs/formats/event.md.
TEST(DigestsTest, FitThePublishedVectors) {
  const Digest part0 = PartDigest(0, Salt(), "abc");
  const Digest part1 = PartDigest(1, Salt(), "");
  const Digest event = EventDigest("header", {part0, part1});
  const Digest empty = EventDigest("", {});

  EXPECT_EQ(ToHex(part0), "d449ee22dee288e5ff5859f6bf635ff29b714605c2e602d6ed39fa538a96ae0d");
  EXPECT_EQ(ToHex(part1), "ef01456f2c3a0ba5765f72b2cee02506ccedb64276e735ebc7c933884804dcbd");
  EXPECT_EQ(ToHex(event), "8805e1f0415a47258dd7e8769ac31ddee1a629d6c21c3ea8a40d11ae09bf3a7a");
  EXPECT_EQ(ToHex(empty), "80ddf70c7f7f2ceb1310c4c4622bde40347cdbdb2d1e3890f750a4991f96cd6e");
  EXPECT_EQ(ToHex(audit::RootOf({audit::LeafHash(event), audit::LeafHash(empty)})),
            "3e245ae07a5156c84f7b5dfb52b9b3eaa73e78f4c386c47a79e3f4c1b241885e");
}

TEST(DigestsTest, DependOnSlotSaltAndContent) {
  const Digest digest = PartDigest(0, Salt(), "abc");
  std::string other_salt = Salt();
  other_salt[15] = 0;

  EXPECT_NE(PartDigest(1, Salt(), "abc"), digest);
  EXPECT_NE(PartDigest(0, other_salt, "abc"), digest);
  EXPECT_NE(PartDigest(0, Salt(), "abd"), digest);
  EXPECT_NE(PartDigest(0, Salt() + "a", "bc"), PartDigest(0, Salt(), "bc"));
}

TEST(DigestsTest, UseTagsOfOneLengthThatAllDiffer) {
  EXPECT_EQ(kPartTag.size(), 16u);
  EXPECT_EQ(kEventTag.size(), 16u);
  EXPECT_NE(kPartTag, kEventTag);
}

TEST(DigestsTest, ShowAnOpenSlotAndAWithheldOneAlike) {
  v1::SlotDisclosure open;
  open.mutable_open()->set_salt(Salt());
  open.mutable_open()->set_content("abc");
  v1::SlotDisclosure withheld;
  withheld.set_digest(PartDigest(2, Salt(), "abc"));

  ASSERT_THAT(SlotDigest(2, open), IsOk());
  EXPECT_EQ(*SlotDigest(2, open), *SlotDigest(2, withheld));
}

TEST(DigestsTest, RefuseSlotsOfAnotherForm) {
  v1::SlotDisclosure slot;
  EXPECT_THAT(SlotDigest(0, slot), StatusIs(absl::StatusCode::kDataLoss));
  slot.set_digest(std::string(31, 'd'));
  EXPECT_THAT(SlotDigest(0, slot), StatusIs(absl::StatusCode::kDataLoss));
  slot.mutable_open()->set_salt(std::string(15, 's'));
  EXPECT_THAT(SlotDigest(0, slot), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(SlotsTest, KeepTheirFrozenTables) {
  EXPECT_EQ(SlotsOf(v1::EVENT_TYPE_REGISTERED),
            absl::Span<const v1::PartKind>({v1::PART_KIND_IDENTITY, v1::PART_KIND_STRUCTURE,
                                            v1::PART_KIND_MATERIALS, v1::PART_KIND_REGULATION}));
  EXPECT_EQ(SlotsOf(v1::EVENT_TYPE_AMENDMENT_PROPOSED), SlotsOf(v1::EVENT_TYPE_REGISTERED));
  EXPECT_EQ(SlotsOf(v1::EVENT_TYPE_MOUNTED), absl::Span<const v1::PartKind>({v1::PART_KIND_VEHICLE}));
  EXPECT_EQ(SlotsOf(v1::EVENT_TYPE_CONDITION_MEASURED),
            absl::Span<const v1::PartKind>({v1::PART_KIND_CONDITION, v1::PART_KIND_CONDITION_SERIES}));
  EXPECT_EQ(
      SlotsOf(v1::EVENT_TYPE_COMPONENT_REPLACED),
      absl::Span<const v1::PartKind>({v1::PART_KIND_HISTORY, v1::PART_KIND_STRUCTURE, v1::PART_KIND_PERSON}));
  EXPECT_TRUE(SlotsOf(v1::EVENT_TYPE_AMENDMENT_APPROVED).empty());
}

TEST(SlotsTest, GiveEveryKnownTypeANameAndEveryOtherNone) {
  for (int type = 1; type <= v1::EventType_MAX; ++type) {
    EXPECT_TRUE(IsKnownType(static_cast<v1::EventType>(type)));
    EXPECT_NE(TypeName(static_cast<v1::EventType>(type)), "unknown") << type;
  }
  EXPECT_FALSE(IsKnownType(v1::EVENT_TYPE_UNSPECIFIED));
  EXPECT_FALSE(IsKnownType(static_cast<v1::EventType>(99)));
}

TEST(SlotsTest, PutEveryKindIntoASectionButPeoplesNames) {
  for (int kind = 1; kind <= v1::PartKind_MAX; ++kind) {
    const auto part = static_cast<v1::PartKind>(kind);
    EXPECT_NE(KindName(part), "unknown") << kind;
    EXPECT_EQ(SectionOf(part) == common::v1::SECTION_UNSPECIFIED, part == v1::PART_KIND_PERSON) << kind;
  }
  EXPECT_EQ(KindMaskOf(common::v1::SECTION_CONDITION), 1u << 5 | 1u << 6);
  EXPECT_EQ(KindMaskOf(common::v1::SECTION_LOOKUP), 0u);
  EXPECT_EQ(KindMaskOf(common::v1::SECTION_UNSPECIFIED), 0u) << "never people's names";
}

TEST(SlotsTest, CallVehiclesAndPeopleErasable) {
  EXPECT_TRUE(IsErasable(v1::PART_KIND_VEHICLE));
  EXPECT_TRUE(IsErasable(v1::PART_KIND_PERSON));
  EXPECT_FALSE(IsErasable(v1::PART_KIND_IDENTITY));
  EXPECT_FALSE(IsErasable(v1::PART_KIND_HISTORY));
}

}  // namespace
}  // namespace tsunagi::passport
