#include "passport/records/amendments.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/registrar_for_test.h"
#include "tests/support/caller.h"
#include "tests/support/passport_node.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::passport {
namespace {

using testing::Battery;
using ::testing::ElementsAre;
using testing::FakeClock;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Registered;
using testing::StatusIs;
using testing::SubjectOf;
using testing::TestFederation;
using testing::TestPassportNode;
using testing::TestRegistrar;

// The registrar's own code, as one participant calls it.
class RealOffice final : public RegistrarPort {
 public:
  RealOffice(identity::RegistrarForTest& registrar, Caller caller)
      : registrar_(registrar), caller_(std::move(caller)) {}

  absl::StatusOr<identity::v1::Amendment> SubmitAmendment(
      const identity::v1::SubmitAmendmentRequest& submission) override {
    ++calls;
    identity::v1::SubmitAmendmentRequest request = submission;
    if (change) change(request);
    const auto response = identity::WaitFor<identity::v1::SubmitAmendmentResponse>(
        [&](auto done) { registrar_.registrar->amendments().Submit(caller_, request, std::move(done)); });
    if (!response.ok()) return response.status();
    return response->amendment();
  }

  int calls = 0;
  std::function<void(identity::v1::SubmitAmendmentRequest&)> change;

 private:
  identity::RegistrarForTest& registrar_;
  const Caller caller_;
};

class AmendmentCourierTest : public ::testing::Test {
 protected:
  AmendmentCourierTest() {
    registrar_.Register("cell-maker");
    testing::ListKey(federation_.registrar(), registrar_.authority.approval.public_key(),
                     identity::v1::KEY_PURPOSE_SIGNING, "", clock_.Now() - absl::Hours(1));
    EXPECT_THAT(federation_.Publish(), IsOk());
    EXPECT_THAT(node_.Import({Registered(module_), Registered(other_)}), IsOk());
  }

  static v1::NewPart PartOf(const v1::NewFact& fact, v1::PartKind kind) {
    for (const v1::NewPart& part : fact.parts()) {
      if (part.kind() == kind) return part;
    }
    return {};
  }
  absl::StatusOr<v1::ProposeAmendmentResponse> Propose(const BatteryId& battery, const v1::NewPart& part) {
    v1::ProposeAmendmentRequest request;
    request.set_request_id(node_.NewRequestId());
    *request.mutable_battery() = battery;
    *request.add_parts() = part;
    return node_.writer().ProposeAmendment(node_.own_operator(), request);
  }
  absl::StatusOr<v1::ProposeAmendmentResponse> ProposeModel(const BatteryId& battery, const char* model) {
    return Propose(battery, PartOf(Registered(battery, "1", model), v1::PART_KIND_IDENTITY));
  }
  void Approve(const std::string& id) {
    identity::v1::ApproveAmendmentRequest request;
    request.set_id(id);
    EXPECT_THAT(identity::WaitFor<identity::v1::ApproveAmendmentResponse>([&](auto done) {
                  registrar_.registrar->amendments().Approve(identity::RegistrarForTest::Operator(), request,
                                                             std::move(done));
                }),
                IsOk());
  }
  std::vector<std::string> Current(const BatteryId& battery, v1::PartKind kind) {
    std::vector<std::string> contents;
    const auto passport = GetPassport(node_.context(), SubjectOf(battery));
    EXPECT_THAT(passport, IsOk());
    for (const v1::PassportStatement& statement : passport->statements()) {
      if (statement.kind() == kind && statement.current()) contents.push_back(statement.content());
    }
    return contents;
  }
  std::string Model(const BatteryId& battery) {
    v1::IdentityPart identity;
    EXPECT_TRUE(identity.ParseFromString(Current(battery, v1::PART_KIND_IDENTITY).at(0)));
    return identity.model();
  }

  FakeClock clock_;
  TestFederation federation_{clock_};
  identity::RegistrarForTest registrar_{clock_.Now()};
  TestPassportNode node_{federation_, clock_, "cell-maker"};
  const BatteryId module_ = Battery(node_.did(), "M-1");
  const BatteryId other_ = Battery(node_.did(), "M-2");
  RealOffice office_{registrar_, CallerForTest::Make(node_.did(), "cell-maker", "node")};
  AmendmentCourier courier_{node_.context(), office_};
};

TEST_F(AmendmentCourierTest, BringsBackWhatTheRegistrarApproved) {
  const auto proposal = ProposeModel(module_, "M-9");
  ASSERT_THAT(proposal, IsOk());
  EXPECT_EQ(courier_.Run().value(), 0);
  Approve(proposal->id());

  EXPECT_EQ(courier_.Run().value(), 1);

  EXPECT_EQ(Model(module_), "M-9");
}

TEST_F(AmendmentCourierTest, ShowsTheRegistrarIdentityPartsOnly) {
  ASSERT_THAT(ProposeModel(module_, "M-9"), IsOk());
  office_.change = [&](const identity::v1::SubmitAmendmentRequest& request) {
    EXPECT_TRUE(request.in_force().slots(0).has_open());
    for (int i = 1; i < 4; ++i)
      EXPECT_FALSE(request.in_force().slots(i).has_open()) << "materials lie beside it";
  };

  EXPECT_EQ(courier_.Run().value(), 0);

  EXPECT_EQ(office_.calls, 1);
}

TEST_F(AmendmentCourierTest, TakesTheLastApprovedCorrectionAsTheOldValue) {
  Approve([&] {
    const std::string id = ProposeModel(module_, "M-8")->id();
    EXPECT_EQ(courier_.Run().value(), 0);
    return id;
  }());
  EXPECT_EQ(courier_.Run().value(), 1);
  const std::string id = ProposeModel(module_, "M-9")->id();
  EXPECT_EQ(courier_.Run().value(), 0);
  Approve(id);

  EXPECT_EQ(courier_.Run().value(), 1);

  EXPECT_EQ(Model(module_), "M-9");
}

TEST_F(AmendmentCourierTest, LetsNoRefusedProposalHoldUpTheOthers) {
  ASSERT_THAT(ProposeModel(module_, "M-9"), IsOk());
  const std::string good = ProposeModel(other_, "M-9")->id();
  office_.change = [&](identity::v1::SubmitAmendmentRequest& request) {
    v1::EventHeader header;
    EXPECT_TRUE(header.ParseFromString(request.proposal().header()));
    if (header.subject().serial() == "M-1") request.clear_in_force();
  };
  EXPECT_EQ(courier_.Run().value(), 0);
  EXPECT_EQ(office_.calls, 2);
  Approve(good);

  EXPECT_EQ(courier_.Run().value(), 1);

  EXPECT_EQ(office_.calls, 3) << "what was refused for good is not sent again";
  EXPECT_EQ(Model(other_), "M-9");
  EXPECT_EQ(Model(module_), "M-1");
}

TEST_F(AmendmentCourierTest, KeepsAProposalWaitingThatIsRefusedForNow) {
  const std::string id = ProposeModel(module_, "M-9")->id();
  ASSERT_THAT(registrar_.SetSuspended("cell-maker", true), IsOk());
  EXPECT_EQ(courier_.Run().value(), 0);
  ASSERT_THAT(registrar_.SetSuspended("cell-maker", false), IsOk());
  EXPECT_EQ(courier_.Run().value(), 0);
  Approve(id);

  EXPECT_EQ(courier_.Run().value(), 1);
}

TEST_F(AmendmentCourierTest, ShowsTheSameOldValueAfterAnotherProposalWasApproved) {
  const std::string first = ProposeModel(module_, "M-8")->id();
  const std::string second = ProposeModel(module_, "M-9")->id();
  EXPECT_EQ(courier_.Run().value(), 0);
  Approve(first);
  EXPECT_EQ(courier_.Run().value(), 1);
  Approve(second);

  EXPECT_EQ(courier_.Run().value(), 1);

  EXPECT_EQ(Model(module_), "M-9");
}

TEST_F(AmendmentCourierTest, CorrectsMaterialsWithoutTheRegistrar) {
  const v1::NewPart corrected = PartOf(Registered(module_, "0.5"), v1::PART_KIND_MATERIALS);

  ASSERT_THAT(Propose(module_, corrected), IsOk());

  EXPECT_EQ(courier_.Run().value(), 0);
  EXPECT_EQ(office_.calls, 0);
  EXPECT_THAT(Current(module_, v1::PART_KIND_MATERIALS), ElementsAre(corrected.content()));
}

TEST_F(AmendmentCourierTest, TakesNoProposalThatChangesNothing) {
  EXPECT_THAT(ProposeModel(module_, "M-1"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("leave out what is right already")));
  EXPECT_THAT(Propose(module_, PartOf(Registered(module_), v1::PART_KIND_MATERIALS)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("materials")));

  ASSERT_THAT(ProposeModel(module_, "M-9"), IsOk());
  EXPECT_THAT(ProposeModel(module_, "M-1"), StatusIs(absl::StatusCode::kInvalidArgument))
      << "a proposal that waits is not in force";
}

}  // namespace
}  // namespace tsunagi::passport
