#include "passport/records/reader.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/merkle.h"
#include "core/base/proto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "passport/model/digests.h"
#include "passport/model/fold.h"
#include "passport/model/verify.h"
#include "passport/records/wire.h"
#include "tests/support/passport_node.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::passport {
namespace {

using testing::Battery;
using testing::ClaimsFor;
using ::testing::ElementsAre;
using testing::FakeClock;
using testing::GrantForTest;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::LongSeries;
using testing::Measured;
using testing::Mounted;
using ::testing::Not;
using testing::Registered;
using testing::Repaired;
using testing::StatusIs;
using testing::SubjectOf;
using testing::TestFederation;
using testing::TestPassportNode;
using testing::TestRegistrar;
using testing::VehicleSubject;

using common::v1::Section;

class RecordReaderTest : public ::testing::Test {
 protected:
  RecordReaderTest() {
    EXPECT_THAT(node_.Import({Registered(module_), Measured(module_, "2025-01-01", "99.1"),
                              Repaired(module_, "2025-02-01", "fan", "山田太郎"),
                              Mounted(module_, "2025-03-01", "ZAA-ZE1-000123")}),
                IsOk());
  }

  DirectoryKeys Keys() {
    return identity::EvidenceKeys(federation_.trust().View(), federation_.name(), clock_.Now());
  }
  // The event set that a Grant for these sections gives.
  std::string Events(const std::vector<Section>& sections) {
    const auto response = node_.Read({SubjectOf(module_)}, sections);
    EXPECT_THAT(response, IsOk());
    return response.ok() && response->batteries_size() == 1 ? response->batteries(0).events() : "none";
  }
  VerifiedSet Verified(const std::vector<Section>& sections) {
    return VerifyEventSet(Events(sections), module_, Keys(), 0).value();
  }
  static std::vector<v1::PartKind> KindsOf(const VerifiedSet& set) {
    std::vector<v1::PartKind> kinds;
    for (const VerifiedEvent& event : set.events) {
      for (const VerifiedPart& part : event.parts) kinds.push_back(part.kind);
    }
    return kinds;
  }

  FakeClock clock_;
  TestFederation federation_{clock_};
  TestRegistrar registrar_{federation_, clock_};
  TestPassportNode node_{federation_, clock_, "cell-maker"};
  const BatteryId module_ = Battery(node_.did(), "M-1");
};

TEST_F(RecordReaderTest, OpensThePermittedPartsAndNothingElse) {
  const VerifiedSet set = Verified({common::v1::SECTION_IDENTITY, common::v1::SECTION_CONDITION});

  EXPECT_THAT(KindsOf(set),
              ElementsAre(v1::PART_KIND_IDENTITY, v1::PART_KIND_CONDITION, v1::PART_KIND_CONDITION_SERIES));
  EXPECT_EQ(set.events.size(), 2u) << "events without an open part are left out";
}

TEST_F(RecordReaderTest, WritesTheCanonicalEncoding) {
  const std::string bytes = Events({common::v1::SECTION_IDENTITY, common::v1::SECTION_VEHICLE});
  v1::EventSet set;

  EXPECT_THAT(DecodeCanonical(bytes, "event set", set), IsOk());
  EXPECT_EQ(set.batches_size(), 1) << "a batch stands in the set once";
}

TEST_F(RecordReaderTest, KeepsVerifyingHoweverItIsNarrowed) {
  const std::vector<Section> all = {common::v1::SECTION_IDENTITY, common::v1::SECTION_VEHICLE,
                                    common::v1::SECTION_MATERIALS, common::v1::SECTION_CONDITION,
                                    common::v1::SECTION_HISTORY};
  for (uint32_t choice = 1; choice < 1u << all.size(); ++choice) {
    std::vector<Section> sections;
    for (size_t i = 0; i < all.size(); ++i) {
      if ((choice >> i & 1) != 0) sections.push_back(all[i]);
    }
    EXPECT_THAT(VerifyEventSet(Events(sections), module_, Keys(), 0), IsOk()) << choice;
  }
}

TEST_F(RecordReaderTest, ShowsEmptyAndWithheldSlotsAlike) {
  v1::EventSet set;
  ASSERT_THAT(Decode(Events({common::v1::SECTION_IDENTITY}), "event set", set), IsOk());

  ASSERT_EQ(set.events(0).slots_size(), 4);
  EXPECT_TRUE(set.events(0).slots(0).has_open());
  for (int i = 1; i < 4; ++i) {  // structure is empty, materials withheld, regulation empty
    EXPECT_FALSE(set.events(0).slots(i).has_open());
    EXPECT_EQ(set.events(0).slots(i).ByteSizeLong(), 34u);
  }
}

TEST_F(RecordReaderTest, NeverReleasesPeoplesNames) {
  internal::v1::GrantClaims claims =
      ClaimsFor({SubjectOf(module_)}, {common::v1::SECTION_HISTORY}, clock_.Now());
  claims.set_part_mask(0xFFFFFFFF);
  const std::vector<common::v1::Subject> subjects = {SubjectOf(module_)};

  const auto response = node_.reader().ReadParts(GrantForTest(claims, clock_), subjects);

  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(response->batteries(0).events(), Not(HasSubstr("山田太郎")));
}

TEST_F(RecordReaderTest, RefusesSubjectsThatTheGrantDoesNotCover) {
  const std::vector<common::v1::Subject> granted = {SubjectOf(module_)};
  const grant::Grant grant =
      GrantForTest(ClaimsFor(granted, {common::v1::SECTION_IDENTITY}, clock_.Now()), clock_);

  EXPECT_THAT(node_.reader().ReadParts(grant, {SubjectOf(Battery(node_.did(), "M-2"))}),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(node_.reader().ReadParts(grant, {granted[0], granted[0]}),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(node_.reader().ReadParts(grant, {}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(RecordReaderTest, RefusesAGrantThatExpiredBeforeTheRead) {
  const std::vector<common::v1::Subject> subjects = {SubjectOf(module_)};
  const grant::Grant grant =
      GrantForTest(ClaimsFor(subjects, {common::v1::SECTION_IDENTITY}, clock_.Now()), clock_);
  clock_.Advance(absl::Seconds(20));

  EXPECT_THAT(node_.reader().ReadParts(grant, subjects),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("expired")));
}

TEST_F(RecordReaderTest, LeavesOutBatteriesThatDoNotExist) {
  const BatteryId other = Battery(node_.did(), "M-2");
  ASSERT_THAT(node_.Import({Registered(other)}), IsOk());

  const auto response =
      node_.Read({SubjectOf(other), SubjectOf(Battery(node_.did(), "M-9")), SubjectOf(module_)},
                 {common::v1::SECTION_IDENTITY});

  ASSERT_THAT(response, IsOk());
  ASSERT_EQ(response->batteries_size(), 2);
  EXPECT_EQ(response->batteries(0).battery().serial(), "M-2");
  EXPECT_EQ(response->batteries(1).battery().serial(), "M-1");
}

TEST_F(RecordReaderTest, GivesNoEventsWhenNothingOpens) {
  EXPECT_EQ(Events({common::v1::SECTION_FOOTPRINT}), "");
}

TEST_F(RecordReaderTest, DoesNotMixUpSerialsThatBeginAlike) {
  ASSERT_THAT(node_.Import({Registered(Battery(node_.did(), "M-11"))}), IsOk());

  EXPECT_EQ(Verified({common::v1::SECTION_IDENTITY}).events.size(), 1u);
}

TEST_F(RecordReaderTest, FindsTheBatteryByEverySpellingOfItsVehicle) {
  for (const char* spelling : {"ZE1-000123", "ZAA-ZE1-000123", "ｚｅ１－０００１２３", " ze1ｰ000123 "}) {
    const auto response = node_.Read({VehicleSubject(spelling)}, {common::v1::SECTION_LOOKUP});
    ASSERT_THAT(response, IsOk());
    ASSERT_EQ(response->batteries_size(), 1) << spelling;
    EXPECT_EQ(response->batteries(0).battery().serial(), "M-1");
    EXPECT_EQ(response->batteries(0).events(), "") << "a look-up releases no part";
  }
}

TEST_F(RecordReaderTest, NeedsAPermitOnVehicleOrLookupToFindByVehicle) {
  EXPECT_THAT(node_.Read({VehicleSubject("ZE1-000123")}, {common::v1::SECTION_CONDITION}),
              StatusIs(absl::StatusCode::kPermissionDenied));

  const auto response = node_.Read({VehicleSubject("ZE1-000123")}, {common::v1::SECTION_VEHICLE});
  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(response->batteries(0).events(), HasSubstr("ZAA-ZE1-000123")) << "as its author wrote it";
}

TEST_F(RecordReaderTest, FindsAVehicleByVinAndByChassisNumber) {
  const BatteryId other = Battery(node_.did(), "M-2");
  ASSERT_THAT(node_.Import({Mounted(other, "2025-03-01", "SX31-9000001", "1M8GDM9AXKP042788")}), IsOk());

  for (const char* name : {"SX31-9000001", "1M8GDM9AXKP042788", "1m8gdm9axkp042788"}) {
    const auto response = node_.Read({VehicleSubject(name)}, {common::v1::SECTION_LOOKUP});
    ASSERT_THAT(response, IsOk());
    ASSERT_EQ(response->batteries_size(), 1) << name;
    EXPECT_EQ(response->batteries(0).battery().serial(), "M-2");
  }
}

TEST_F(RecordReaderTest, FindsOnlyWhatIsMountedNow) {
  ASSERT_THAT(node_.Import({Mounted(module_, "2025-04-01", "ZE1-000123", "", v1::EVENT_TYPE_DISMOUNTED)}),
              IsOk());
  EXPECT_EQ(node_.Read({VehicleSubject("ZE1-000123")}, {common::v1::SECTION_LOOKUP})->batteries_size(), 0);

  ASSERT_THAT(node_.Import({Mounted(module_, "2025-05-01", "ZE1-000999")}), IsOk());
  EXPECT_EQ(node_.Read({VehicleSubject("ZE1-000123")}, {common::v1::SECTION_LOOKUP})->batteries_size(), 0);
  EXPECT_EQ(node_.Read({VehicleSubject("ZE1-000999")}, {common::v1::SECTION_LOOKUP})->batteries_size(), 1);
}

TEST_F(RecordReaderTest, FailsWhenAnyByteOfADisclosureIsChanged) {
  ASSERT_THAT(node_.Date(registrar_), IsOk());
  const std::string bytes = Events({common::v1::SECTION_IDENTITY});
  const DirectoryKeys keys = Keys();
  ASSERT_THAT(VerifyEventSet(bytes, module_, keys, 0), IsOk());

  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(VerifyEventSet(changed, module_, keys, 0).ok()) << "byte " << i << " of " << bytes.size();
  }
}

TEST_F(RecordReaderTest, FailsForAnotherBatteryFederationOrTime) {
  const std::string bytes = Events({common::v1::SECTION_IDENTITY});

  EXPECT_THAT(VerifyEventSet(bytes, Battery(node_.did(), "M-2"), Keys(), 0),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("another battery")));
  DirectoryKeys other = Keys();
  other.federation = "other.example";
  EXPECT_THAT(VerifyEventSet(bytes, module_, other, 0),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("another federation")));
  DirectoryKeys early = Keys();
  early.now = clock_.Now() - absl::Hours(2);
  EXPECT_THAT(VerifyEventSet(bytes, module_, early, 0),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("did not count")));
}

TEST_F(RecordReaderTest, DatesBatchesByTheRegistrarsCosignature) {
  EXPECT_FALSE(Verified({common::v1::SECTION_IDENTITY}).events[0].dated_at.has_value());
  clock_.Advance(absl::Minutes(1));

  const auto dated = node_.Date(registrar_);

  ASSERT_THAT(dated, IsOk());
  EXPECT_EQ(*dated, 1u);
  EXPECT_EQ(Verified({common::v1::SECTION_IDENTITY}).events[0].dated_at, clock_.Now());
}

TEST_F(RecordReaderTest, KeepsTheEarliestDate) {
  ASSERT_THAT(node_.Date(registrar_), IsOk());
  const absl::Time first = clock_.Now();
  clock_.Advance(absl::Hours(1));
  ASSERT_THAT(node_.Import({Registered(Battery(node_.did(), "M-2"))}), IsOk());

  EXPECT_EQ(*node_.Date(registrar_), 1u) << "only the new batch";
  EXPECT_EQ(Verified({common::v1::SECTION_IDENTITY}).events[0].dated_at, first);
}

TEST_F(RecordReaderTest, DatesNothingWithoutTheRegistrarsCosignature) {
  EXPECT_FALSE(node_.dater().OnCosigned(node_.journal().LatestCheckpoint()).ok());
  EXPECT_FALSE(Verified({common::v1::SECTION_IDENTITY}).events[0].dated_at.has_value());
}

TEST_F(RecordReaderTest, FoldsWhatSeveralHoldersReleased) {
  TestPassportNode shop(federation_, clock_, "workshop", 2);
  ASSERT_THAT(shop.Import({Measured(module_, "2026-01-01", "91.2")}), IsOk());
  std::vector<VerifiedEvent> events =
      Verified({common::v1::SECTION_IDENTITY, common::v1::SECTION_CONDITION}).events;
  const auto read = shop.Read({SubjectOf(module_)}, {common::v1::SECTION_CONDITION});
  ASSERT_THAT(read, IsOk());
  const auto theirs = VerifyEventSet(read->batteries(0).events(), module_, Keys(), 1);
  ASSERT_THAT(theirs, IsOk());
  events.insert(events.end(), theirs->events.begin(), theirs->events.end());

  const Folded folded = Fold(events);

  std::vector<std::string> current;
  for (const FoldedStatement& statement : folded.statements) {
    if (statement.standing == Standing::kCurrent && statement.kind == v1::PART_KIND_CONDITION) {
      current.push_back(statement.author);
    }
  }
  EXPECT_THAT(current, ElementsAre(node_.did(), shop.did())) << "neither replaces the other";
}

TEST_F(RecordReaderTest, WithholdsAPartOfANewerVersion) {
  // A newer program of the same author wrote a field that this one does not know.
  std::string bytes = Events({common::v1::SECTION_IDENTITY});
  v1::EventSet set;
  ASSERT_THAT(Decode(bytes, "event set", set), IsOk());
  v1::EventDisclosure& event = *set.mutable_events(0);
  const std::string content = set.events(0).slots(0).open().content() + "\xfa\x07\x01x";
  event.mutable_slots(0)->mutable_open()->set_content(content);
  std::vector<Digest> slots;
  for (int i = 0; i < event.slots_size(); ++i) {
    slots.push_back(*SlotDigest(static_cast<uint32_t>(i), event.slots(i)));
  }
  VerifiedBatch batch;
  batch.statement.set_author(node_.did());
  batch.statement.set_event_count(1);
  batch.statement.set_merkle_root(audit::LeafHash(EventDigest(event.header(), slots)));
  event.clear_path();
  event.set_index(0);

  const auto verified = VerifyDisclosure(event, batch, Keys(), 0);

  ASSERT_THAT(verified, IsOk());
  EXPECT_THAT(verified->parts, IsEmpty());
}

TEST_F(RecordReaderTest, WithholdsAnEventOfANewerVersion) {
  v1::EventSet set;
  ASSERT_THAT(Decode(Events({common::v1::SECTION_IDENTITY}), "event set", set), IsOk());
  v1::EventDisclosure& event = *set.mutable_events(0);
  const std::string header = event.header() + "\xfa\x07\x01x";
  event.set_header(header);
  std::vector<Digest> slots;
  for (int i = 0; i < event.slots_size(); ++i) {
    slots.push_back(*SlotDigest(static_cast<uint32_t>(i), event.slots(i)));
  }
  VerifiedBatch batch;
  batch.statement.set_author(node_.did());
  batch.statement.set_event_count(1);
  batch.statement.set_merkle_root(audit::LeafHash(EventDigest(event.header(), slots)));
  event.clear_path();
  event.set_index(0);

  EXPECT_THAT(VerifyDisclosure(event, batch, Keys(), 0), StatusIs(absl::StatusCode::kUnimplemented));
}

TEST(FieldReaderTest, NeverReadsOutside) {
  std::string message;
  AppendVarintField(message, 1, 300);
  AppendBytesField(message, 2, "abc");
  for (size_t size = 0; size <= message.size(); ++size) {
    FieldReader fields(absl::string_view(message).substr(0, size));
    while (fields.Next()) EXPECT_LE(fields.bytes().size(), 3u);
    EXPECT_EQ(fields.ok(), size == 0 || size == 3 || size == message.size()) << size;
  }
  FieldReader other_type("\x0d\x01\x02\x03\x04");
  EXPECT_FALSE(other_type.Next());
  EXPECT_FALSE(other_type.ok());
}

// Whether a commit that read `keys` at `version` would be decided again.
bool IsStale(TestPassportNode& node, audit::ReadVersion version, const v1::ReadPartsResponse& read) {
  audit::Commit commit;
  commit.version = version;
  commit.reads.assign(read.read_keys().begin(), read.read_keys().end());
  return absl::IsAborted(node.journal().SubmitAndWait(std::move(commit)).status());
}

TEST_F(RecordReaderTest, NamesKeysThatChangeWithWhatWasReadAboutABattery) {
  const auto read = node_.Read({SubjectOf(module_)}, {common::v1::SECTION_IDENTITY});
  audit::ReadVersion version = node_.journal().Version();
  ASSERT_THAT(node_.Import({Measured(Battery(node_.did(), "M-2"), "2025-01-01", "99")}), IsOk());
  EXPECT_FALSE(IsStale(node_, version, *read)) << "another battery";
  ASSERT_THAT(node_.Import({Measured(module_, "2025-05-01", "98")}), IsOk());
  EXPECT_TRUE(IsStale(node_, version, *read));

  version = node_.journal().Version();
  EXPECT_FALSE(IsStale(node_, version, *read));
  v1::ErasePartsRequest request;
  request.set_request_id(node_.NewRequestId());
  *request.mutable_subject() = SubjectOf(module_);
  request.set_reason("request of the owner");
  ASSERT_THAT(node_.eraser().EraseParts(node_.own_operator(), request), IsOk());
  EXPECT_TRUE(IsStale(node_, version, *read));
}

TEST_F(RecordReaderTest, NamesAKeyThatChangesWithEveryMountOfTheVehicle) {
  const auto read = node_.Read({VehicleSubject("ZE1-000123")}, {common::v1::SECTION_LOOKUP});
  const audit::ReadVersion version = node_.journal().Version();
  ASSERT_THAT(node_.Import({Mounted(Battery(node_.did(), "M-2"), "2025-01-01", "ZE1-000124")}), IsOk());
  EXPECT_FALSE(IsStale(node_, version, *read)) << "another vehicle";

  ASSERT_THAT(node_.Import({Mounted(Battery(node_.did(), "M-2"), "2025-02-01", "ZAA-ZE1-000123")}), IsOk());

  EXPECT_TRUE(IsStale(node_, version, *read));
}

TEST_F(RecordReaderTest, LeavesTheRestWhenTheAnswerIsFull) {
  std::vector<common::v1::Subject> subjects;
  std::vector<v1::NewFact> facts;
  for (int i = 0; i < 40; ++i) {
    const BatteryId battery = Battery(node_.did(), absl::StrCat("BIG-", i));
    subjects.push_back(SubjectOf(battery));
    facts.push_back(Registered(battery));
    facts.push_back(LongSeries(battery));
  }
  ASSERT_THAT(node_.Import(facts), IsOk());

  const auto response = node_.Read(subjects, {common::v1::SECTION_CONDITION});

  ASSERT_THAT(response, IsOk());
  EXPECT_GT(response->subjects_left(), 0u);
  EXPECT_EQ(response->batteries_size() + static_cast<int>(response->subjects_left()), 40);
  EXPECT_EQ(response->batteries(0).battery().serial(), "BIG-0");
  EXPECT_LT(response->ByteSizeLong(), 2 * kFullBytes);
  EXPECT_EQ(response->read_keys_size(), response->batteries_size()) << "of what was read, and nothing else";
}

TEST_F(RecordReaderTest, RefusesABatteryWithMoreThanAMessageHolds) {
  std::vector<v1::NewFact> facts;
  for (int i = 0; i < 250; ++i) facts.push_back(LongSeries(module_, i));
  ASSERT_THAT(node_.Import(facts), IsOk());

  EXPECT_THAT(node_.Read({SubjectOf(module_)}, {common::v1::SECTION_CONDITION}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("ask for fewer sections")));
  EXPECT_THAT(node_.Read({SubjectOf(module_)}, {common::v1::SECTION_IDENTITY}), IsOk());
}

}  // namespace
}  // namespace tsunagi::passport
