#include "passport/records/eraser.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/proto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "passport/model/verify.h"
#include "tests/support/fault_store.h"
#include "tests/support/full_disk.h"
#include "tests/support/passport_node.h"
#include "tests/support/status_matchers.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::passport {
namespace {

using testing::Battery;
using testing::FakeClock;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Measured;
using testing::Mounted;
using ::testing::Not;
using testing::Repaired;
using testing::StatusIs;
using testing::SubjectOf;
using testing::TestFederation;
using testing::TestPassportNode;
using testing::TestRegistrar;
using testing::VehicleSubject;

constexpr char kChassis[] = "ZAA-ZE1-000123";
constexpr char kVin[] = "1M8GDM9AXKP042788";

// A clock that lets something happen when it is first looked at: between decision and commit.
class InterruptingClock final : public Clock {
 public:
  InterruptingClock(const Clock& clock, std::function<void()> interrupt)
      : clock_(clock), interrupt_(std::move(interrupt)) {}
  absl::Time Now() const override {
    if (const auto interrupt = std::exchange(interrupt_, nullptr)) interrupt();
    return clock_.Now();
  }

 private:
  const Clock& clock_;
  mutable std::function<void()> interrupt_;
};

class RecordEraserTest : public ::testing::Test {
 protected:
  RecordEraserTest() {
    EXPECT_THAT(
        node_.Import({Mounted(pack_, "2025-03-01", kChassis, kVin), Measured(pack_, "2025-04-01", "99.1"),
                      Repaired(pack_, "2025-05-01", "fan", "山田太郎")}),
        IsOk());
  }

  absl::StatusOr<v1::ErasePartsResponse> Erase(const common::v1::Subject& subject,
                                               const std::string& reason = "request of the owner") {
    v1::ErasePartsRequest request;
    request.set_request_id(node_.NewRequestId());
    *request.mutable_subject() = subject;
    request.set_reason(reason);
    return node_.eraser().EraseParts(node_.own_operator(), request);
  }
  // Erases while `fact` is written between the decision and its commit.
  absl::StatusOr<v1::ErasePartsResponse> EraseDuring(const common::v1::Subject& subject,
                                                     const v1::NewFact& fact) {
    const InterruptingClock clock(clock_, [&] { EXPECT_THAT(node_.Import({fact}), IsOk()); });
    const RecordContext& own = node_.context();
    const RecordContext context{own.journal, own.signing_key, own.trust,      clock,
                                own.random,  own.did,         own.federation, own.secrets};
    v1::ErasePartsRequest request;
    request.set_request_id(node_.NewRequestId());
    *request.mutable_subject() = subject;
    request.set_reason("request of the owner");
    return RecordEraser(context, node_.erasures()).EraseParts(node_.own_operator(), request);
  }
  std::string Person() {
    std::string all;
    EXPECT_THAT(node_.store().Scan(store::Table::kPerson, "", "",
                                   [&](absl::string_view key, absl::string_view value) {
                                     absl::StrAppend(&all, key, "=", value, "\n");
                                     return true;
                                   }),
                IsOk());
    return all;
  }

  FakeClock clock_;
  TestFederation federation_{clock_};
  TestRegistrar registrar_{federation_, clock_};
  TestPassportNode node_{federation_, clock_, "oem"};
  const BatteryId pack_ = Battery(node_.did(), "P-1");
};

TEST_F(RecordEraserTest, ErasesAVehicleByAnySpelling) {
  ASSERT_THAT(Person(), HasSubstr(kChassis));

  const auto erased = Erase(VehicleSubject("ｚｅ１ｰ０００１２３"));

  ASSERT_THAT(erased, IsOk());
  EXPECT_EQ(erased->erased(), 1u);
  EXPECT_THAT(Person(), Not(HasSubstr(kChassis)));
  EXPECT_THAT(Person(), Not(HasSubstr(kVin))) << "the part named the vehicle by both";
  for (const char* name : {kChassis, kVin}) {
    EXPECT_EQ(node_.Read({VehicleSubject(name)}, {common::v1::SECTION_LOOKUP})->batteries_size(), 0) << name;
  }
  EXPECT_THAT(Person(), HasSubstr("山田太郎")) << "other parts stay";
}

TEST_F(RecordEraserTest, ErasesAMountThatIsWrittenMeanwhile) {
  const auto erased =
      EraseDuring(VehicleSubject(kChassis), Mounted(Battery(node_.did(), "P-2"), "2025-06-01", kChassis));

  ASSERT_THAT(erased, IsOk());
  EXPECT_EQ(erased->erased(), 2u);
  EXPECT_THAT(Person(), Not(HasSubstr(kChassis)));
}

TEST_F(RecordEraserTest, ErasesAPartOfTheBatteryThatIsWrittenMeanwhile) {
  const auto erased = EraseDuring(SubjectOf(pack_), Repaired(pack_, "2025-06-01", "fan", "鈴木花子"));

  ASSERT_THAT(erased, IsOk());
  EXPECT_EQ(erased->erased(), 3u);
  EXPECT_EQ(Person(), "");
}

TEST_F(RecordEraserTest, ErasesAVehicleByItsVin) {
  EXPECT_EQ(Erase(VehicleSubject(kVin))->erased(), 1u);
  EXPECT_THAT(Person(), Not(HasSubstr(kChassis)));
}

TEST_F(RecordEraserTest, ErasesEveryPersonPointingPartOfABattery) {
  const auto erased = Erase(SubjectOf(pack_));

  ASSERT_THAT(erased, IsOk());
  EXPECT_EQ(erased->erased(), 2u);
  EXPECT_EQ(Person(), "");
}

TEST_F(RecordEraserTest, LeavesSignaturesChainAndLogVerifying) {
  ASSERT_THAT(node_.Date(registrar_), IsOk());
  ASSERT_THAT(Erase(SubjectOf(pack_)), IsOk());

  const auto read = node_.Read({SubjectOf(pack_)}, {common::v1::SECTION_VEHICLE, common::v1::SECTION_HISTORY,
                                                    common::v1::SECTION_CONDITION});

  ASSERT_THAT(read, IsOk());
  const auto verified =
      VerifyEventSet(read->batteries(0).events(), pack_,
                     identity::EvidenceKeys(federation_.trust().View(), federation_.name(), clock_.Now()), 0);
  ASSERT_THAT(verified, IsOk());
  ASSERT_EQ(verified->events.size(), 2u) << "condition and history stay; the mounting has no part left";
  EXPECT_TRUE(verified->events[0].dated_at.has_value());
}

TEST_F(RecordEraserTest, RefusesTheErasedFactInEverySpelling) {
  ASSERT_THAT(Erase(VehicleSubject(kChassis)), IsOk());

  for (const auto& fact :
       {Mounted(pack_, "2025-03-01", kChassis, kVin), Mounted(pack_, "2025-03-01", "ze1-000123"),
        Mounted(pack_, "2025-03-01", "", kVin)}) {
    EXPECT_THAT(node_.Import({fact}),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("must not come back")));
  }
  EXPECT_THAT(node_.Import({Mounted(pack_, "2025-06-01", kChassis)}), IsOk())
      << "another fact at another time";
}

TEST_F(RecordEraserTest, RefusesAnErasedName) {
  ASSERT_THAT(Erase(SubjectOf(pack_)), IsOk());

  const absl::Status status = node_.Import({Repaired(pack_, "2025-05-01", "fan", "山田太郎")}).status();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, Not(HasSubstr("山田"))));
}

TEST_F(RecordEraserTest, LeavesNoValueBehindInAnyTable) {
  ASSERT_THAT(Erase(SubjectOf(pack_)), IsOk());

  for (const store::Table table :
       {store::Table::kState, store::Table::kLog, store::Table::kRecords, store::Table::kPerson}) {
    ASSERT_THAT(node_.store().Scan(table, "", "",
                                   [](absl::string_view key, absl::string_view value) {
                                     const std::string all = absl::StrCat(key, value);
                                     for (const char* text : {"ZE1-000123", kVin, "山田"}) {
                                       EXPECT_THAT(all, Not(HasSubstr(text)));
                                     }
                                     return true;
                                   }),
                IsOk());
  }
}

TEST_F(RecordEraserTest, RecordsWhichEventsLostAPartAndWhy) {
  ASSERT_THAT(Erase(VehicleSubject(kChassis)), IsOk());

  const auto leaves = node_.journal().Leaves(1, 1);
  ASSERT_THAT(leaves, IsOk());
  audit::v1::Record record;
  ASSERT_THAT(Decode(leaves->at(0).record, "record", record), IsOk());
  EXPECT_EQ(record.erasure().event_digests_size(), 1);
  EXPECT_EQ(record.erasure().reason(), "request of the owner");
}

TEST_F(RecordEraserTest, ErasesNothingTwice) {
  ASSERT_THAT(Erase(VehicleSubject(kChassis)), IsOk());

  EXPECT_EQ(Erase(VehicleSubject(kChassis))->erased(), 0u);
  EXPECT_EQ(Erase(SubjectOf(pack_))->erased(), 1u) << "the name was still there";
  EXPECT_EQ(Erase(VehicleSubject("SX31-9000001"))->erased(), 0u);
}

TEST_F(RecordEraserTest, AnswersTheSameRequestIdAlikeAndNamesTheAccountInTheLeaf) {
  v1::ErasePartsRequest request;
  request.set_request_id(node_.NewRequestId());
  *request.mutable_subject() = VehicleSubject(kChassis);
  request.set_reason("request of the owner");
  const Caller person = CallerForTest::WithAccount(node_.own_operator(), "a-0123456789");
  ASSERT_THAT(node_.eraser().EraseParts(person, request), IsOk());

  EXPECT_EQ(node_.eraser().EraseParts(node_.own_operator(), request)->erased(), 1u);
  audit::v1::Record record;
  ASSERT_THAT(Decode(node_.journal().Leaves(1, 1)->at(0).record, "record", record), IsOk());
  EXPECT_EQ(record.account(), "a-0123456789");
}

// Puts back the rows of STATE and PERSON as a backup would; the log stays.
void Restore(const store::Store& copy, store::Store& store) {
  std::vector<store::Write> writes;
  for (const store::Table table : {store::Table::kState, store::Table::kPerson}) {
    const auto add = [&](const store::Store& from, bool deleted) {
      ASSERT_THAT(from.Scan(table, "", "",
                            [&](absl::string_view key, absl::string_view value) {
                              writes.push_back({table, std::string(key), std::string(value), deleted});
                              return true;
                            }),
                  IsOk());
    };
    add(store, true);
    add(copy, false);
  }
  ASSERT_THAT(store.Apply(writes), IsOk());
}

TEST_F(RecordEraserTest, ErasesAgainWhatARestoredStoreBringsBack) {
  const auto copy = testing::CopyOf(node_.store());
  ASSERT_THAT(Erase(VehicleSubject(kChassis)), IsOk());
  Restore(*copy, node_.store());
  ASSERT_THAT(Person(), HasSubstr(kChassis));
  const uint64_t before = node_.journal().Size();

  ASSERT_THAT(node_.eraser().EraseAgain(), IsOk());

  EXPECT_THAT(Person(), Not(HasSubstr(kChassis)));
  EXPECT_THAT(Person(), HasSubstr("山田太郎")) << "nobody asked for that";
  EXPECT_EQ(node_.journal().Size(), before + 1);
  EXPECT_THAT(node_.Import({Mounted(pack_, "2025-03-01", kChassis, kVin)}), Not(IsOk()));
  ASSERT_THAT(node_.eraser().EraseAgain(), IsOk());
  EXPECT_EQ(node_.journal().Size(), before + 1) << "the store knows now";
}

TEST_F(RecordEraserTest, HasNothingToEraseAgainWhenNothingWasRestored) {
  ASSERT_THAT(Erase(VehicleSubject(kChassis)), IsOk());
  const uint64_t before = node_.journal().Size();

  ASSERT_THAT(node_.eraser().EraseAgain(), IsOk());

  EXPECT_EQ(node_.journal().Size(), before);
}

TEST_F(RecordEraserTest, ListsWhatItErasesOutsideTheStore) {
  ASSERT_THAT(Erase(SubjectOf(pack_)), IsOk());

  EXPECT_THAT(node_.erasures().After(0), testing::IsOkAndHolds(::testing::SizeIs(2)));
}

TEST_F(RecordEraserTest, ErasesNothingThatItCannotList) {
  {
    const testing::FullDisk full;
    EXPECT_FALSE(Erase(VehicleSubject(kChassis)).ok());
  }

  EXPECT_THAT(Person(), HasSubstr(kChassis));
}

TEST_F(RecordEraserTest, NeedsAReasonThatDoesNotNameTheVehicle) {
  EXPECT_THAT(Erase(VehicleSubject(kChassis), ""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("reason")));
  EXPECT_THAT(Erase(VehicleSubject(kChassis), "owner of ze1-000123 asked"),
              StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("000123"))));
}

}  // namespace
}  // namespace tsunagi::passport
