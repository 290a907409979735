#include "catalog/notices.h"

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/verify.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/store/key.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/caller.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/fault_store.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StrEq;
using ::tsunagi::testing::IsOk;
using ::tsunagi::testing::StatusIs;

constexpr char kId[] = "7d2f6a0e-8b1c-4a37-9f54-0c1e5b6a9d21";

class NoticesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* label : {"cell-maker", "workshop", "oem", "dealer", "outsider"}) federation_.Add(label);
    journal_ = audit::Journal::Open(faults_, "cell-maker.battery.example/catalog", log_key_, random_).value();
    denials_ = std::make_unique<audit::DenialLog>(*journal_, clock_);
    notices_ = std::make_unique<Notices>(*journal_, federation_.trust(), federation_.DidOf("cell-maker"),
                                         clock_, *denials_);
  }

  Caller CallerOf(const std::string& label, std::vector<std::string> roles = {}) const {
    return CallerForTest::Make(federation_.DidOf(label), label, "node", std::move(roles));
  }
  v1::HolderNotice Notice(const std::string& serial,
                          const std::vector<std::string>& visible_to = {"dealer"}) const {
    v1::HolderNotice notice;
    notice.mutable_battery()->set_manufacturer(federation_.DidOf("cell-maker"));
    notice.mutable_battery()->set_serial(serial);
    notice.add_sections(common::v1::SECTION_CONDITION);
    for (const std::string& label : visible_to) notice.add_visible_to_parties(federation_.DidOf(label));
    return notice;
  }
  v1::FileNoticesRequest Request(const std::vector<v1::HolderNotice>& notices) {
    v1::FileNoticesRequest request;
    request.set_request_id(NewUuid(random_));
    for (const v1::HolderNotice& notice : notices) *request.add_notices() = notice;
    return request;
  }
  void File(const std::string& label, const v1::HolderNotice& notice) {
    ASSERT_THAT(notices_->File(CallerOf(label), Request({notice})), IsOk());
  }
  v1::FindHoldersRequest Asking(const std::string& serial) const {
    v1::FindHoldersRequest request;
    *request.mutable_battery() = Notice(serial).battery();
    return request;
  }
  absl::StatusOr<v1::FindHoldersResponse> Find(const Caller& caller,
                                               const v1::FindHoldersRequest& request) const {
    std::promise<absl::StatusOr<v1::FindHoldersResponse>> found;
    notices_->Find(caller, request, [&](auto result) { found.set_value(std::move(result)); });
    return found.get_future().get();
  }
  // Records of the log, once what was submitted is in it.
  std::vector<audit::v1::Record> Records() {
    audit::Commit barrier;
    barrier.writes.push_back(store::Put(store::Table::kState, "barrier", ""));
    EXPECT_THAT(journal_->SubmitAndWait(std::move(barrier)), IsOk());
    std::vector<audit::v1::Record> records;
    const std::vector<audit::Journal::Leaf> leaves = journal_->Leaves(0, 100).value();
    for (const audit::Journal::Leaf& leaf : leaves) {
      EXPECT_THAT(DecodeCanonical(leaf.record, "record", records.emplace_back()), IsOk());
    }
    return records;
  }
  // Labels of the holders that the caller is told.
  std::vector<std::string> Holders(const Caller& caller, const std::string& serial) const {
    std::vector<std::string> labels;
    const absl::StatusOr<v1::FindHoldersResponse> found = Find(caller, Asking(serial));
    if (!found.ok()) return {std::string(found.status().message())};
    for (const v1::Holder& holder : found->holders()) {
      labels.push_back(holder.participant().substr(holder.participant().rfind(':') + 1));
    }
    return labels;
  }

  tsunagi::testing::FakeClock clock_;
  tsunagi::testing::FakeRandom random_;
  tsunagi::testing::TestFederation federation_{clock_};
  const crypto::PrivateKey log_key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  const std::unique_ptr<store::Store> memory_ = store::NewMemoryStore();
  tsunagi::testing::FaultStore faults_{*memory_};
  std::unique_ptr<audit::Journal> journal_;
  std::unique_ptr<audit::DenialLog> denials_;
  std::unique_ptr<Notices> notices_;
};

TEST_F(NoticesTest, TellsAHolderToThosePartiesThatItNamed) {
  File("workshop", Notice("CM-1", {"dealer", "oem"}));

  EXPECT_THAT(Holders(CallerOf("dealer"), "CM-1"), ElementsAre("workshop"));
  EXPECT_THAT(Holders(CallerOf("oem"), "CM-1"), ElementsAre("workshop"));
  EXPECT_THAT(Holders(CallerOf("outsider"), "CM-1"), ElementsAre("not found"));
}

TEST_F(NoticesTest, TellsAHolderToThoseRolesThatItNamed) {
  v1::HolderNotice notice = Notice("CM-1", {});
  notice.add_visible_to_roles("dealer");
  notice.add_visible_to_roles("recycler");
  File("workshop", notice);

  EXPECT_THAT(Holders(CallerOf("oem", {"oem", "recycler"}), "CM-1"), ElementsAre("workshop"));
  EXPECT_THAT(Holders(CallerOf("oem", {"oem"}), "CM-1"), ElementsAre("not found"));
}

TEST_F(NoticesTest, TellsTheSections) {
  v1::HolderNotice notice = Notice("CM-1");
  notice.add_sections(common::v1::SECTION_HISTORY);
  File("workshop", notice);

  const auto found = Find(CallerOf("dealer"), Asking("CM-1"));

  ASSERT_THAT(found, IsOk());
  EXPECT_THAT(found->holders(0).sections(),
              ElementsAre(common::v1::SECTION_CONDITION, common::v1::SECTION_HISTORY));
}

TEST_F(NoticesTest, ShowsAHolderItsOwnNotice) {
  File("workshop", Notice("CM-1", {}));

  EXPECT_THAT(Holders(CallerOf("workshop"), "CM-1"), ElementsAre("workshop"));
}

TEST_F(NoticesTest, DoesNotListItsOwnParticipantUnasked) {
  File("workshop", Notice("CM-1"));
  EXPECT_THAT(Holders(CallerOf("dealer"), "CM-1"), ElementsAre("workshop"));

  File("cell-maker", Notice("CM-1"));
  EXPECT_THAT(Holders(CallerOf("dealer"), "CM-1"), ElementsAre("cell-maker", "workshop"));
}

TEST_F(NoticesTest, KeepsBatteriesApart) {
  File("workshop", Notice("CM-1"));
  File("oem", Notice("CM-10"));

  EXPECT_THAT(Holders(CallerOf("dealer"), "CM-1"), ElementsAre("workshop"));
  EXPECT_THAT(Holders(CallerOf("dealer"), "CM-10"), ElementsAre("oem"));
}

TEST_F(NoticesTest, ReplacesAnEarlierNotice) {
  File("workshop", Notice("CM-1", {"dealer"}));
  File("workshop", Notice("CM-1", {"oem"}));

  EXPECT_THAT(Holders(CallerOf("dealer"), "CM-1"), ElementsAre("not found"));
  EXPECT_THAT(Holders(CallerOf("oem"), "CM-1"), ElementsAre("workshop"));
}

TEST_F(NoticesTest, TakesANoticeBack) {
  File("workshop", Notice("CM-1"));
  v1::HolderNotice withdrawal = Notice("CM-1", {});
  withdrawal.clear_sections();
  withdrawal.set_withdrawn(true);

  File("workshop", withdrawal);

  EXPECT_THAT(Holders(CallerOf("dealer"), "CM-1"), ElementsAre("not found"));
}

TEST_F(NoticesTest, LetsAHolderWithdrawOnlyItsOwn) {
  File("workshop", Notice("CM-1"));
  v1::HolderNotice withdrawal = Notice("CM-1");
  withdrawal.set_withdrawn(true);

  File("outsider", withdrawal);

  EXPECT_THAT(Holders(CallerOf("dealer"), "CM-1"), ElementsAre("workshop"));
}

TEST_F(NoticesTest, HidesASuspendedHolder) {
  File("workshop", Notice("CM-1"));
  File("oem", Notice("CM-1"));

  ASSERT_THAT(federation_.Suspend("workshop"), IsOk());
  EXPECT_THAT(Holders(CallerOf("dealer"), "CM-1"), ElementsAre("oem"));
  ASSERT_THAT(federation_.Suspend("oem"), IsOk());
  EXPECT_THAT(Holders(CallerOf("dealer"), "CM-1"), ElementsAre("not found"));
}

TEST_F(NoticesTest, HidesAHolderThatIsNotListed) {
  File("stranger", Notice("CM-1"));

  EXPECT_THAT(Holders(CallerOf("dealer"), "CM-1"), ElementsAre("not found"));
}

TEST_F(NoticesTest, GivesAnOutsiderOneAnswerForHiddenAndMissing) {
  File("workshop", Notice("CM-1"));
  v1::FindHoldersRequest elsewhere = Asking("CM-1");
  elsewhere.mutable_battery()->set_manufacturer(federation_.DidOf("oem"));

  const Caller outsider = CallerOf("outsider");
  for (const v1::FindHoldersRequest& request : {Asking("CM-1"), Asking("CM-2"), elsewhere}) {
    const absl::Status status = Find(outsider, request).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, StrEq("not found")));
    EXPECT_FALSE(DetailOf(status).has_value());
  }
}

TEST_F(NoticesTest, RecordsWhomItToldOfWhichHoldersBeforeItAnswers) {
  File("workshop", Notice("CM-1"));

  ASSERT_THAT(Find(CallerOf("dealer"), Asking("CM-1")), IsOk());

  const std::vector<audit::Journal::Leaf> leaves = journal_->Leaves(0, 10).value();
  ASSERT_EQ(leaves.size(), 2u);
  audit::v1::Record record;
  ASSERT_THAT(DecodeCanonical(leaves[1].record, "record", record), IsOk());
  EXPECT_EQ(record.holders().caller(), federation_.DidOf("dealer"));
  EXPECT_EQ(record.holders().battery().serial(), "CM-1");
  EXPECT_THAT(record.holders().holders(), ElementsAre(federation_.DidOf("workshop")));
}

TEST_F(NoticesTest, TellsNoHolderWithoutALeaf) {
  File("workshop", Notice("CM-1"));
  faults_.FailAfter(0);

  EXPECT_FALSE(Find(CallerOf("dealer"), Asking("CM-1")).ok());
}

TEST_F(NoticesTest, CountsRefusalsInOneLeafPerCallerAndMinuteAndWaitsForNone) {
  File("workshop", Notice("CM-1"));
  v1::FindHoldersRequest elsewhere = Asking("CM-1");
  elsewhere.mutable_battery()->set_manufacturer(federation_.DidOf("oem"));
  for (const v1::FindHoldersRequest& request : {Asking("CM-1"), Asking("CM-2"), elsewhere}) {
    bool answered = false;
    notices_->Find(CallerOf("outsider"), request, [&](auto) { answered = true; });
    EXPECT_TRUE(answered);
  }
  EXPECT_EQ(Records().size(), 1u);
  clock_.Advance(absl::Minutes(1));

  denials_->Flush();

  const std::vector<audit::v1::Record> records = Records();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].denial().caller(), federation_.DidOf("outsider"));
  EXPECT_EQ(records[1].denial().count(), 3u);
  EXPECT_FALSE(records[1].denial().has_battery());
}

TEST_F(NoticesTest, RefusesToLookUpAMalformedBattery) {
  EXPECT_THAT(Find(CallerOf("dealer"), Asking("CM 1")), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(NoticesTest, LeavesOneLeafPerRequestThatNamesNoBattery) {
  ASSERT_THAT(notices_->File(CallerOf("workshop"), Request({Notice("CM-1"), Notice("CM-2")})), IsOk());

  const std::vector<audit::Journal::Leaf> leaves = journal_->Leaves(0, 10).value();
  ASSERT_EQ(leaves.size(), 1u);
  audit::v1::Record record;
  ASSERT_THAT(DecodeCanonical(leaves[0].record, "record", record), IsOk());
  EXPECT_EQ(record.notice().holder(), federation_.DidOf("workshop"));
  EXPECT_EQ(record.notice().count(), 2u);
  EXPECT_THAT(FromProto(record.time()).value(), clock_.Now());
  EXPECT_THAT(leaves[0].record, ::testing::Not(HasSubstr("CM-1")));
}

TEST_F(NoticesTest, FilesARequestOnce) {
  v1::FileNoticesRequest request = Request({Notice("CM-1")});
  request.set_request_id(kId);

  for (int i = 0; i < 3; ++i) EXPECT_THAT(notices_->File(CallerOf("workshop"), request), IsOk());

  EXPECT_EQ(journal_->Size(), 1u);
}

TEST_F(NoticesTest, DoesNotUndoALaterRequestWhenAnEarlierOneIsRepeated) {
  v1::FileNoticesRequest request = Request({Notice("CM-1")});
  ASSERT_THAT(notices_->File(CallerOf("workshop"), request), IsOk());
  File("workshop", Notice("CM-1", {"oem"}));

  ASSERT_THAT(notices_->File(CallerOf("workshop"), request), IsOk());

  EXPECT_THAT(Holders(CallerOf("oem"), "CM-1"), ElementsAre("workshop"));
}

TEST_F(NoticesTest, RefusesAnIdThatWasUsedForOtherNotices) {
  v1::FileNoticesRequest request = Request({Notice("CM-1")});
  ASSERT_THAT(notices_->File(CallerOf("workshop"), request), IsOk());
  request.mutable_notices(0)->mutable_battery()->set_serial("CM-2");

  EXPECT_THAT(notices_->File(CallerOf("workshop"), request), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(notices_->File(CallerOf("oem"), request), IsOk()) << "ids of two callers are apart";
}

TEST_F(NoticesTest, FilesAllThatOneHolderSendsAtOnce) {
  constexpr int kThreads = 8;
  constexpr int kTimes = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    std::vector<v1::FileNoticesRequest> requests;
    requests.reserve(kTimes);
    for (int i = 0; i < kTimes; ++i) requests.push_back(Request({Notice(absl::StrCat("CM-", t, "-", i))}));
    threads.emplace_back([this, requests = std::move(requests)] {
      for (const v1::FileNoticesRequest& request : requests) {
        EXPECT_THAT(notices_->File(CallerOf("workshop"), request), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(
      memory_
          ->Get(store::Table::kState, store::Key("notice-count").Str(federation_.DidOf("workshop")).bytes())
          .value(),
      absl::StrCat(kThreads * kTimes));
  EXPECT_THAT(audit::VerifyWholeLog(*journal_), IsOk());
}

TEST_F(NoticesTest, CountsEachBatteryOnce) {
  v1::HolderNotice withdrawal = Notice("CM-2");
  withdrawal.set_withdrawn(true);
  ASSERT_THAT(notices_->File(CallerOf("workshop"), Request({Notice("CM-1"), Notice("CM-1"), Notice("CM-2"),
                                                            withdrawal, withdrawal})),
              IsOk());
  File("workshop", Notice("CM-1"));

  EXPECT_EQ(
      memory_
          ->Get(store::Table::kState, store::Key("notice-count").Str(federation_.DidOf("workshop")).bytes())
          .value(),
      "1");
}

TEST_F(NoticesTest, BoundsTheNoticesOfAHolder) {
  const std::string count = store::Key("notice-count").Str(federation_.DidOf("workshop"));
  ASSERT_THAT(memory_->Apply({store::Put(store::Table::kState, count, "99999")}), IsOk());

  EXPECT_THAT(notices_->File(CallerOf("workshop"), Request({Notice("CM-1")})), IsOk());
  EXPECT_THAT(notices_->File(CallerOf("workshop"), Request({Notice("CM-1")})), IsOk()) << "replaces one";
  EXPECT_THAT(notices_->File(CallerOf("workshop"), Request({Notice("CM-2")})),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(notices_->File(CallerOf("oem"), Request({Notice("CM-2")})), IsOk());
}

TEST_F(NoticesTest, SaysSoWhenTheStoreFails) {
  faults_.FailAfter(0);

  EXPECT_THAT(notices_->File(CallerOf("workshop"), Request({Notice("CM-1")})),
              StatusIs(absl::StatusCode::kUnavailable));
}

struct BadNotice {
  const char* name;
  const char* field;
  std::function<void(v1::FileNoticesRequest&)> change;
};

class BadNoticeTest : public NoticesTest, public ::testing::WithParamInterface<BadNotice> {};

TEST_P(BadNoticeTest, IsRefusedWithNothingFiled) {
  v1::FileNoticesRequest request = Request({Notice("CM-1"), Notice("CM-2")});
  GetParam().change(request);

  const absl::Status status = notices_->File(CallerOf("workshop"), request).status();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().field)));
  EXPECT_EQ(journal_->Size(), 0u);
  EXPECT_THAT(Holders(CallerOf("dealer"), "CM-1"), ElementsAre("not found"));
}

INSTANTIATE_TEST_SUITE_P(
    Requests, BadNoticeTest,
    ::testing::Values(
        BadNotice{"NoRequestId", "request_id", [](auto& r) { r.clear_request_id(); }},
        BadNotice{"RequestIdThatIsNoUuid", "request_id", [](auto& r) { r.set_request_id("1"); }},
        BadNotice{"NoNotices", "notices", [](auto& r) { r.clear_notices(); }},
        BadNotice{"TooManyNotices", "1 to 1,000",
                  [](auto& r) {
                    while (r.notices_size() <= 1000) *r.add_notices() = r.notices(0);
                  }},
        BadNotice{"AnotherManufacturer", "manufacturer",
                  [](auto& r) {
                    r.mutable_notices(1)->mutable_battery()->set_manufacturer("did:web:oem.example");
                  }},
        BadNotice{"NoBattery", "battery", [](auto& r) { r.mutable_notices(1)->clear_battery(); }},
        BadNotice{"BadSerial", "serial",
                  [](auto& r) { r.mutable_notices(1)->mutable_battery()->set_serial("C M"); }},
        BadNotice{"NoSections", "sections", [](auto& r) { r.mutable_notices(1)->clear_sections(); }},
        BadNotice{"SectionUnspecified", "sections",
                  [](auto& r) { r.mutable_notices(1)->add_sections(common::v1::SECTION_UNSPECIFIED); }},
        BadNotice{"SectionLookup", "sections",
                  [](auto& r) { r.mutable_notices(1)->add_sections(common::v1::SECTION_LOOKUP); }},
        BadNotice{"SectionUnknown", "sections",
                  [](auto& r) { r.mutable_notices(1)->add_sections(static_cast<common::v1::Section>(99)); }},
        BadNotice{"SectionTwice", "sections",
                  [](auto& r) { r.mutable_notices(1)->add_sections(common::v1::SECTION_CONDITION); }},
        BadNotice{"PartyThatIsNoDid", "visible_to_parties",
                  [](auto& r) { r.mutable_notices(1)->add_visible_to_parties("dealer"); }},
        BadNotice{"EmptyRole", "visible_to_roles",
                  [](auto& r) { r.mutable_notices(1)->add_visible_to_roles(""); }},
        BadNotice{"TooManyViewers", "visible_to_parties",
                  [](auto& r) {
                    for (int i = 0; i < 101; ++i) r.mutable_notices(1)->add_visible_to_roles("dealer");
                  }}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace tsunagi::catalog
