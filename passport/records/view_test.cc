#include "passport/records/view.h"

#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "passport/records/amendments.h"
#include "tests/support/passport_node.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::passport {
namespace {

using testing::Attached;
using testing::Battery;
using ::testing::ElementsAre;
using testing::FakeClock;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Measured;
using testing::Mounted;
using testing::Registered;
using testing::Repaired;
using testing::StatusIs;
using testing::SubjectOf;
using testing::TestFederation;
using testing::TestPassportNode;
using testing::TestRegistrar;
using testing::VehicleSubject;

// The registrar's office: approves what it was told to, or is away.
class FakeOffice final : public RegistrarPort {
 public:
  explicit FakeOffice(const TestRegistrar& registrar) : registrar_(registrar) {}

  absl::StatusOr<identity::v1::Amendment> SubmitAmendment(
      const identity::v1::SubmitAmendmentRequest& request) override {
    if (away) return absl::UnavailableError("the registrar is away");
    v1::EventHeader header;
    EXPECT_TRUE(header.ParseFromString(request.proposal().header()));
    const crypto::Digest digest = DisclosedDigest(header, request.proposal()).value();
    identity::v1::Amendment answer;
    answer.set_id(ToHex(digest));
    answer.set_old_identity(request.in_force().slots(0).open().content());
    submitted.push_back(answer);
    answer.set_state(approves ? identity::v1::AMENDMENT_STATE_APPROVED
                              : identity::v1::AMENDMENT_STATE_PENDING);
    if (approves) {
      *answer.mutable_approval() =
          registrar_.Approve(forges ? std::string(32, 'x') : digest, header.author());
    }
    return answer;
  }

  bool away = false;
  bool approves = false;
  bool forges = false;
  std::vector<identity::v1::Amendment> submitted;

 private:
  const TestRegistrar& registrar_;
};

class PassportViewTest : public ::testing::Test {
 protected:
  absl::StatusOr<v1::ProposeAmendmentResponse> Propose(const char* model) {
    v1::ProposeAmendmentRequest request;
    request.set_request_id(node_.NewRequestId());
    *request.mutable_battery() = module_;
    *request.add_parts() = [&] {
      v1::NewPart part;
      part.set_kind(v1::PART_KIND_IDENTITY);
      part.set_content(Registered(module_, "1", model).parts(0).content());
      return part;
    }();
    return node_.writer().ProposeAmendment(node_.own_operator(), request);
  }
  std::vector<std::string> Models(bool current) {
    std::vector<std::string> models;
    const auto passport = GetPassport(node_.context(), SubjectOf(module_));
    EXPECT_THAT(passport, IsOk());
    for (const v1::PassportStatement& statement : passport->statements()) {
      v1::IdentityPart identity;
      if (statement.kind() != v1::PART_KIND_IDENTITY || statement.current() != current) continue;
      EXPECT_THAT(Decode(statement.content(), "identity", identity), IsOk());
      models.push_back(identity.model());
    }
    return models;
  }

  FakeClock clock_;
  TestFederation federation_{clock_};
  TestRegistrar registrar_{federation_, clock_};
  TestPassportNode node_{federation_, clock_, "cell-maker"};
  const BatteryId module_ = Battery(node_.did(), "M-1");
  FakeOffice office_{registrar_};
  AmendmentCourier courier_{node_.context(), office_};
};

TEST_F(PassportViewTest, ShowsThePassportBySerialAndByVehicle) {
  ASSERT_THAT(node_.Import({Registered(module_), Mounted(module_, "2025-03-01", "ZE1-000123")}), IsOk());
  common::v1::Subject bare = SubjectOf(module_);
  bare.mutable_battery()->clear_manufacturer();

  for (const common::v1::Subject& subject : {SubjectOf(module_), bare, VehicleSubject("ZAA-ZE1-000123")}) {
    const auto passport = GetPassport(node_.context(), subject);
    ASSERT_THAT(passport, IsOk());
    EXPECT_EQ(passport->battery().serial(), "M-1");
    EXPECT_EQ(passport->battery().level(), common::v1::BATTERY_LEVEL_MODULE);
    EXPECT_EQ(passport->statements_size(), 3);
    EXPECT_THAT(passport->warnings(), IsEmpty());
  }
}

TEST_F(PassportViewTest, ShowsTheBatteryThatWasMountedLastInTime) {
  const BatteryId older = Battery(node_.did(), "M-2");  // after M-1 in order of keys
  const auto off = v1::EVENT_TYPE_DISMOUNTED;
  ASSERT_THAT(node_.Import({Mounted(module_, "2025-03-01", "ZE1-000123"),
                            Mounted(module_, "2025-04-01", "ZE1-000123", "", off),
                            Mounted(older, "2024-03-01", "ZE1-000123"),
                            Mounted(older, "2024-04-01", "ZE1-000123", "", off)}),
              IsOk());

  const auto passport = GetPassport(node_.context(), VehicleSubject("ZE1-000123"));

  ASSERT_THAT(passport, IsOk());
  EXPECT_EQ(passport->battery().serial(), "M-1");
}

TEST_F(PassportViewTest, SaysThatItKnowsNothing) {
  EXPECT_THAT(GetPassport(node_.context(), SubjectOf(module_)),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("M-1")));
  EXPECT_THAT(GetPassport(node_.context(), VehicleSubject("ZE1-000123")),
              StatusIs(absl::StatusCode::kNotFound, "the vehicle is not known here"));
}

TEST_F(PassportViewTest, AsksForTheManufacturerOfAnAmbiguousSerial) {
  ASSERT_THAT(node_.Import({Registered(module_),
                            Measured(Battery(federation_.DidOf("oem"), "M-1"), "2025-01-01", "99")}),
              IsOk());
  common::v1::Subject bare = SubjectOf(module_);
  bare.mutable_battery()->clear_manufacturer();

  EXPECT_THAT(GetPassport(node_.context(), bare),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("name the manufacturer")));
}

TEST_F(PassportViewTest, TakesFactsOnceTheirAuthorTookOverFromTheManufacturer) {
  federation_.Add("gone");
  BatteryId pack = Battery(federation_.DidOf("gone"), "P-1");
  pack.set_level(common::v1::BATTERY_LEVEL_PACK);
  ASSERT_THAT(node_.Import({Attached(pack, "2025-03-01", module_)}), IsOk());
  EXPECT_FALSE(GetPassport(node_.context(), SubjectOf(pack))->statements(0).current());

  identity::v1::Participant& gone = federation_.Entry("gone");
  gone.set_state(identity::v1::PARTICIPANT_STATE_LEFT);
  gone.set_successor(node_.did());
  gone.set_version(2);
  ASSERT_THAT(federation_.Publish(), IsOk());

  EXPECT_TRUE(GetPassport(node_.context(), SubjectOf(pack))->statements(0).current());
}

TEST_F(PassportViewTest, MarksErasedParts) {
  ASSERT_THAT(node_.Import({Registered(module_), Repaired(module_, "2025-03-01", "fan", "山田太郎")}),
              IsOk());
  v1::ErasePartsRequest request;
  request.set_request_id(node_.NewRequestId());
  *request.mutable_subject() = SubjectOf(module_);
  request.set_reason("request of the person");
  ASSERT_THAT(node_.eraser().EraseParts(node_.own_operator(), request), IsOk());

  const auto passport = GetPassport(node_.context(), SubjectOf(module_));

  ASSERT_THAT(passport, IsOk());
  const v1::PassportStatement& person = passport->statements(passport->statements_size() - 1);
  EXPECT_EQ(person.kind(), v1::PART_KIND_PERSON);
  EXPECT_TRUE(person.erased());
  EXPECT_EQ(person.content(), "");
}

TEST_F(PassportViewTest, ShowsWhenTheRegistrarDatedAStatement) {
  ASSERT_THAT(node_.Import({Registered(module_)}), IsOk());
  EXPECT_FALSE(GetPassport(node_.context(), SubjectOf(module_))->statements(0).has_dated_at());

  ASSERT_THAT(node_.Date(registrar_), IsOk());

  EXPECT_TRUE(GetPassport(node_.context(), SubjectOf(module_))->statements(0).has_dated_at());
}

TEST_F(PassportViewTest, KeepsAProposalWaitingWhileTheRegistrarIsAway) {
  ASSERT_THAT(node_.Import({Registered(module_)}), IsOk());
  ASSERT_THAT(Propose("M-2"), IsOk());
  office_.away = true;

  EXPECT_THAT(courier_.Run(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Models(true), ElementsAre("M-1"));
  EXPECT_THAT(GetPassport(node_.context(), SubjectOf(module_))->warnings(),
              ElementsAre(HasSubstr("is not approved by the registrar")));

  office_.away = false;
  office_.approves = true;
  EXPECT_EQ(courier_.Run().value(), 1);
  EXPECT_THAT(Models(true), ElementsAre("M-2"));
}

TEST_F(PassportViewTest, AppliesAnApprovedAmendmentAndKeepsTheOldValue) {
  ASSERT_THAT(node_.Import({Registered(module_)}), IsOk());
  const auto proposal = Propose("M-2");
  ASSERT_THAT(proposal, IsOk());
  EXPECT_EQ(courier_.Run().value(), 0) << "the registrar has not approved yet";
  office_.approves = true;

  EXPECT_EQ(courier_.Run().value(), 1);

  EXPECT_THAT(Models(true), ElementsAre("M-2"));
  EXPECT_THAT(Models(false), ElementsAre("M-1"));
  EXPECT_EQ(courier_.Run().value(), 0) << "nothing waits any more";
  ASSERT_EQ(office_.submitted.size(), 2u);
  v1::IdentityPart old_identity;
  ASSERT_THAT(Decode(office_.submitted[1].old_identity(), "identity", old_identity), IsOk());
  EXPECT_EQ(old_identity.model(), "M-1");
  EXPECT_EQ(office_.submitted[1].id(), proposal->id());
}

TEST_F(PassportViewTest, RefusesAnApprovalOfSomethingElse) {
  ASSERT_THAT(node_.Import({Registered(module_)}), IsOk());
  ASSERT_THAT(Propose("M-2"), IsOk());
  office_.approves = true;
  office_.forges = true;

  EXPECT_EQ(courier_.Run().value(), 0);
  EXPECT_THAT(Models(true), ElementsAre("M-1"));
}

TEST_F(PassportViewTest, ReleasesTheApprovalWithTheAmendment) {
  ASSERT_THAT(node_.Import({Registered(module_)}), IsOk());
  ASSERT_THAT(Propose("M-2"), IsOk());
  office_.approves = true;
  ASSERT_THAT(courier_.Run(), IsOk());

  const auto read = node_.Read({SubjectOf(module_)}, {common::v1::SECTION_IDENTITY});

  ASSERT_THAT(read, IsOk());
  const auto verified =
      VerifyEventSet(read->batteries(0).events(), module_,
                     identity::EvidenceKeys(federation_.trust().View(), federation_.name(), clock_.Now()), 0);
  ASSERT_THAT(verified, IsOk());
  ASSERT_EQ(verified->events.size(), 3u);
  EXPECT_TRUE(verified->events[2].approved);
}

TEST_F(PassportViewTest, AmendsOnlyWhatItRegistered) {
  EXPECT_THAT(Propose("M-2"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("only the issuer amends")));
}

}  // namespace
}  // namespace tsunagi::passport
