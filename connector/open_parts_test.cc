#include "connector/transfer/open_parts.h"

#include <random>
#include <string>

#include "core/base/proto.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::connector {
namespace {

using passport::v1::EventDisclosure;
using passport::v1::EventHeader;
using passport::v1::EventSet;
using passport::v1::PartKind;
using testing::IsOkAndHolds;
using testing::StatusIs;

// An event whose slots have these kinds; `open` says which are open.
void AddEvent(EventSet& set, const std::vector<PartKind>& kinds, const std::vector<bool>& open) {
  EventHeader header;
  header.set_author("did:web:a.example");
  for (const PartKind kind : kinds) header.add_slots(kind);
  EventDisclosure& event = *set.add_events();
  event.set_header(Encode(header));
  for (const bool is_open : open) {
    passport::v1::SlotDisclosure& slot = *event.add_slots();
    if (is_open) {
      slot.mutable_open()->set_salt(std::string(16, 's'));
      slot.mutable_open()->set_content("content");
    } else {
      slot.set_digest(std::string(32, 'd'));
    }
  }
}

TEST(OpenPartsTest, FindsNothingInNothing) { EXPECT_THAT(OpenParts(""), IsOkAndHolds(0u)); }

TEST(OpenPartsTest, FindsTheKindsOfOpenSlots) {
  EventSet set;
  AddEvent(set, {passport::v1::PART_KIND_CONDITION, passport::v1::PART_KIND_CONDITION_SERIES}, {true, false});
  AddEvent(set, {passport::v1::PART_KIND_HISTORY, passport::v1::PART_KIND_PERSON}, {true, false});

  EXPECT_THAT(OpenParts(Encode(set)), IsOkAndHolds(policy::BitOf(passport::v1::PART_KIND_CONDITION) |
                                                   policy::BitOf(passport::v1::PART_KIND_HISTORY)));
}

TEST(OpenPartsTest, FindsNamesOfPeopleThatShouldNotBeThere) {
  EventSet set;
  AddEvent(set, {passport::v1::PART_KIND_HISTORY, passport::v1::PART_KIND_PERSON}, {false, true});

  EXPECT_THAT(OpenParts(Encode(set)), IsOkAndHolds(policy::BitOf(passport::v1::PART_KIND_PERSON)));
}

TEST(OpenPartsTest, SkipsBatches) {
  EventSet set;
  AddEvent(set, {passport::v1::PART_KIND_CONDITION}, {true});
  set.add_batches()->mutable_statement()->set_payload(std::string(1000, 'x'));

  EXPECT_THAT(OpenParts(Encode(set)), IsOkAndHolds(policy::BitOf(passport::v1::PART_KIND_CONDITION)));
}

TEST(OpenPartsTest, RefusesAnOpenSlotWithoutKind) {
  EventSet set;
  AddEvent(set, {}, {true});

  EXPECT_THAT(OpenParts(Encode(set)), StatusIs(absl::StatusCode::kDataLoss));
}

// Protobuf takes the last header: with the kinds of the first, names of people would pass as a condition.
TEST(OpenPartsTest, RefusesAnEventWithTwoHeaders) {
  EventSet shown;
  EventSet meant;
  AddEvent(shown, {passport::v1::PART_KIND_CONDITION}, {});
  AddEvent(meant, {passport::v1::PART_KIND_PERSON}, {true});
  std::string both;
  for (const EventSet* set : {&shown, &meant}) both += Encode(set->events(0));
  EventDisclosure parsed;
  ASSERT_TRUE(parsed.ParseFromString(both));
  ASSERT_EQ(parsed.header(), meant.events(0).header());
  EventSet sent;
  // The bytes as they came: parsing would keep one header only.
  std::string bytes = std::string("\x0a") + static_cast<char>(both.size()) + both;
  ASSERT_LT(both.size(), 128u);
  ASSERT_TRUE(sent.ParseFromString(bytes));

  EXPECT_THAT(OpenParts(bytes), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(OpenPartsTest, CountsAnOpenPartThatADigestFollows) {
  EventSet set;
  AddEvent(set, {passport::v1::PART_KIND_CONDITION}, {true});
  EventSet closed;
  AddEvent(closed, {passport::v1::PART_KIND_CONDITION}, {false});
  // Two encodings of one slot behind each other are one message to protobuf, whose last member of the oneof
  // counts.
  std::string slot = Encode(set.events(0).slots(0)) + Encode(closed.events(0).slots(0));
  std::string event =
      Encode(set.events(0))
          .substr(0, Encode(set.events(0)).size() - Encode(set.events(0).slots(0)).size() - 2);
  event += '\x12';
  event += static_cast<char>(slot.size());
  event += slot;
  std::string bytes = "\x0a";
  bytes += static_cast<char>(event.size());
  bytes += event;

  EXPECT_THAT(OpenParts(bytes), IsOkAndHolds(policy::BitOf(passport::v1::PART_KIND_CONDITION)));
}

// The scanner and protobuf agree on every truncation and on flipped bytes, or the scanner is stricter.
TEST(OpenPartsTest, NeverSeesLessThanProtobuf) {
  EventSet set;
  AddEvent(set, {passport::v1::PART_KIND_CONDITION, passport::v1::PART_KIND_CONDITION_SERIES}, {true, false});
  AddEvent(set, {passport::v1::PART_KIND_MATERIALS}, {true});
  const std::string bytes = Encode(set);
  std::mt19937 engine(7);
  for (int round = 0; round < 3000; ++round) {
    std::string changed = bytes.substr(0, round % 3 == 0 ? engine() % bytes.size() : bytes.size());
    if (round % 3 != 0) changed[engine() % changed.size()] = static_cast<char>(engine());
    const absl::StatusOr<policy::PartMask> mask = OpenParts(changed);
    EventSet parsed;
    if (!parsed.ParseFromString(changed) || !mask.ok()) continue;
    for (const EventDisclosure& event : parsed.events()) {
      EventHeader header;
      if (!header.ParseFromString(event.header())) continue;
      for (int slot = 0; slot < std::min(event.slots_size(), header.slots_size()); ++slot) {
        if (event.slots(slot).has_open() && header.slots(slot) > 0 && header.slots(slot) < 32) {
          EXPECT_NE(*mask & policy::BitOf(header.slots(slot)), 0u) << round;
        }
      }
    }
  }
}

}  // namespace
}  // namespace tsunagi::connector
