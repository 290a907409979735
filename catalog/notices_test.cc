#include "catalog/notices.h"

#include <future>

#include "absl/strings/str_cat.h"
#include "core/store/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/caller.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

class NoticesTest : public ::testing::Test {
 protected:
  NoticesTest() {
    federation_.Add("maker", {"cell-maker"});
    federation_.Add("workshop", {"workshop"});
    federation_.Add("dealer", {"dealer"});
    journal_ =
        audit::Journal::Open(*store_, "maker.battery.example/catalog",
                             crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519), random_)
            .value();
    notices_.emplace(*journal_, federation_.trust(), federation_.DidOf("maker"), clock_);
  }

  Caller Who(const std::string& label, std::vector<std::string> roles) {
    return CallerForTest::Make(federation_.DidOf(label), label, "node", std::move(roles));
  }
  v1::FileNoticesRequest Request(const std::string& serial) {
    v1::FileNoticesRequest request;
    request.set_request_id(NewUuid(random_));
    v1::HolderNotice& notice = *request.add_notices();
    notice.mutable_battery()->set_manufacturer(federation_.DidOf("maker"));
    notice.mutable_battery()->set_serial(serial);
    notice.add_sections(common::v1::SECTION_CONDITION);
    notice.add_visible_to_roles("dealer");
    return request;
  }
  absl::Status File(const v1::FileNoticesRequest& request) {
    std::promise<absl::Status> filed;
    notices_->File(workshop_, request, [&](const absl::StatusOr<v1::FileNoticesResponse>& result) {
      filed.set_value(result.status());
    });
    return filed.get_future().get();
  }
  absl::StatusOr<v1::FindHoldersResponse> Find(const Caller& caller, const std::string& serial) {
    v1::FindHoldersRequest request;
    request.mutable_battery()->set_manufacturer(federation_.DidOf("maker"));
    request.mutable_battery()->set_serial(serial);
    return notices_->Find(caller, request);
  }

  testing::FakeClock clock_;
  testing::FakeRandom random_;
  testing::TestFederation federation_{clock_};
  std::unique_ptr<store::Store> store_ = store::NewMemoryStore();
  std::unique_ptr<audit::Journal> journal_;
  std::optional<Notices> notices_;
  const Caller workshop_ = Who("workshop", {"workshop"});
  const Caller dealer_ = Who("dealer", {"dealer"});
};

TEST_F(NoticesTest, TellsTheHolderToARoleThatMaySeeIt) {
  ASSERT_THAT(File(Request("M-1")), IsOk());

  const auto found = Find(dealer_, "M-1");

  ASSERT_THAT(found.status(), IsOk());
  ASSERT_EQ(found->holders_size(), 1);
  EXPECT_EQ(found->holders(0).participant(), federation_.DidOf("workshop"));
  EXPECT_THAT(found->holders(0).sections(), ElementsAre(common::v1::SECTION_CONDITION));
}

TEST_F(NoticesTest, TellsTheHolderToANamedParty) {
  v1::FileNoticesRequest request = Request("M-1");
  request.mutable_notices(0)->clear_visible_to_roles();
  request.mutable_notices(0)->add_visible_to_parties(federation_.DidOf("recycler"));
  ASSERT_THAT(File(request), IsOk());

  EXPECT_THAT(Find(Who("recycler", {}), "M-1").status(), IsOk());
  EXPECT_THAT(Find(dealer_, "M-1"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(NoticesTest, AnswersAlikeForHiddenAndUnknownSerials) {
  ASSERT_THAT(File(Request("M-1")), IsOk());

  const absl::Status hidden = Find(Who("outsider", {"insurer"}), "M-1").status();
  const absl::Status unknown = Find(Who("outsider", {"insurer"}), "M-2").status();

  EXPECT_EQ(hidden, unknown);
  EXPECT_EQ(hidden, absl::NotFoundError("not found"));
}

TEST_F(NoticesTest, DoesNotMistakeASerialForTheStartOfAnother) {
  ASSERT_THAT(File(Request("M-10")), IsOk());

  EXPECT_THAT(Find(dealer_, "M-1"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(NoticesTest, HidesNoticesOfSuspendedHolders) {
  ASSERT_THAT(File(Request("M-1")), IsOk());
  ASSERT_THAT(federation_.Suspend("workshop"), IsOk());

  EXPECT_THAT(Find(dealer_, "M-1"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(NoticesTest, TakesAWithdrawnNoticeBack) {
  ASSERT_THAT(File(Request("M-1")), IsOk());
  v1::FileNoticesRequest back = Request("M-1");
  back.mutable_notices(0)->set_withdrawn(true);
  ASSERT_THAT(File(back), IsOk());

  EXPECT_THAT(Find(dealer_, "M-1"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(NoticesTest, WritesOneLeafPerRequestAndNoneForItsRepetition) {
  const v1::FileNoticesRequest request = Request("M-1");
  ASSERT_THAT(File(request), IsOk());
  ASSERT_THAT(File(request), IsOk());

  const auto leaves = journal_->Leaves(0, 10).value();

  ASSERT_EQ(leaves.size(), 1u);
  audit::v1::Record record;
  ASSERT_TRUE(record.ParseFromString(leaves[0].record));
  EXPECT_EQ(record.notice().holder(), federation_.DidOf("workshop"));
  EXPECT_EQ(record.notice().count(), 1u);
}

TEST_F(NoticesTest, RefusesARequestIdThatWasUsedForSomethingElse) {
  v1::FileNoticesRequest request = Request("M-1");
  ASSERT_THAT(File(request), IsOk());
  request.mutable_notices(0)->mutable_battery()->set_serial("M-2");

  EXPECT_THAT(File(request), StatusIs(absl::StatusCode::kAlreadyExists));
}

struct BadNotice {
  const char* name;
  void (*spoil)(v1::FileNoticesRequest&);
  const char* says;
};
class BadNoticeTest : public NoticesTest, public ::testing::WithParamInterface<BadNotice> {};

TEST_P(BadNoticeTest, IsRefusedWholeAndNamesTheField) {
  v1::FileNoticesRequest request = Request("M-1");
  *request.add_notices() = request.notices(0);
  GetParam().spoil(request);

  EXPECT_THAT(File(request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().says)));
  EXPECT_THAT(journal_->Leaves(0, 10).value(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All, BadNoticeTest,
    ::testing::Values(
        BadNotice{"NoRequestId", [](v1::FileNoticesRequest& r) { r.set_request_id("7"); }, "request_id"},
        BadNotice{"NoNotice", [](v1::FileNoticesRequest& r) { r.clear_notices(); }, "1 to 1000"},
        BadNotice{"OthersSerials",
                  [](v1::FileNoticesRequest& r) {
                    r.mutable_notices(1)->mutable_battery()->set_manufacturer("did:web:other.example");
                  },
                  "notices[1].battery.manufacturer"},
        BadNotice{
            "BadSerial",
            [](v1::FileNoticesRequest& r) { r.mutable_notices(1)->mutable_battery()->set_serial("a b"); },
            "notices[1].battery"},
        BadNotice{"NoSection", [](v1::FileNoticesRequest& r) { r.mutable_notices(1)->clear_sections(); },
                  "notices[1].sections"},
        BadNotice{"UnknownSection",
                  [](v1::FileNoticesRequest& r) {
                    r.mutable_notices(1)->add_sections(static_cast<common::v1::Section>(99));
                  },
                  "notices[1].sections"},
        BadNotice{"BadParty",
                  [](v1::FileNoticesRequest& r) { r.mutable_notices(1)->add_visible_to_parties("dealer"); },
                  "notices[1].visible_to_parties"},
        BadNotice{"EmptyRole",
                  [](v1::FileNoticesRequest& r) { r.mutable_notices(1)->add_visible_to_roles(""); },
                  "notices[1].visible_to_roles"},
        BadNotice{"CrowdedAudience",
                  [](v1::FileNoticesRequest& r) {
                    for (int i = 0; i < 101; ++i) r.mutable_notices(1)->add_visible_to_roles("dealer");
                  },
                  "at most 100"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace tsunagi::catalog
