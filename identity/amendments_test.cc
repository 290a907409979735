#include "identity/amendments.h"

#include "core/base/bytes.h"
#include "core/crypto/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/registrar_for_test.h"
#include "passport/model/digests.h"
#include "tests/support/status_matchers.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::identity {
namespace {

using ::testing::HasSubstr;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

class AmendmentsTest : public ::testing::Test {
 protected:
  AmendmentsTest() {
    registrar_.Register("maker");
    registrar_.Register("other");
  }
  std::string Part(const std::string& model, const std::string& serial = "PACK-1") {
    passport::v1::IdentityPart part;
    part.mutable_battery()->set_manufacturer(maker_.did());
    part.mutable_battery()->set_serial(serial);
    part.set_model(model);
    return Encode(part);
  }
  v1::SubmitAmendmentRequest Proposal(const std::string& new_model = "B") {
    v1::SubmitAmendmentRequest request;
    v1::Amendment& amendment = *request.mutable_amendment();
    amendment.set_id(ToHex(crypto::Sha256(new_model)));
    amendment.set_issuer(maker_.did());
    amendment.mutable_battery()->set_manufacturer(maker_.did());
    amendment.mutable_battery()->set_serial("PACK-1");
    amendment.set_old_identity(Part("A"));
    amendment.set_new_identity(Part(new_model));
    return request;
  }
  absl::StatusOr<v1::SubmitAmendmentResponse> Submit(const v1::SubmitAmendmentRequest& request) {
    return WaitFor<v1::SubmitAmendmentResponse>(
        [&](auto done) { registrar_.registrar->amendments().Submit(maker_, request, std::move(done)); });
  }
  absl::StatusOr<v1::ApproveAmendmentResponse> Approve(const std::string& id) {
    v1::ApproveAmendmentRequest request;
    request.set_id(id);
    return WaitFor<v1::ApproveAmendmentResponse>([&](auto done) {
      registrar_.registrar->amendments().Approve(RegistrarForTest::Operator(), request, std::move(done));
    });
  }
  v1::ListAmendmentsResponse List(const Caller& caller, const v1::ListAmendmentsRequest& request = {}) {
    return registrar_.registrar->amendments().List(caller, request).value();
  }

  RegistrarForTest registrar_;
  const Caller maker_ = RegistrarForTest::CallerOf("maker");
};

TEST_F(AmendmentsTest, AProposalWaitsUntilItIsApproved) {
  const auto submitted = Submit(Proposal());
  ASSERT_THAT(submitted, IsOk());
  EXPECT_EQ(submitted->amendment().state(), v1::AMENDMENT_STATE_PENDING);
  EXPECT_FALSE(submitted->amendment().has_approval());

  const auto approved = Approve(submitted->amendment().id());

  ASSERT_THAT(approved, IsOk());
  EXPECT_EQ(approved->amendment().state(), v1::AMENDMENT_STATE_APPROVED);
  EXPECT_EQ(registrar_.Acts().back(), "amendment-approved");
}

TEST_F(AmendmentsTest, TheApprovalIsSignedByAListedKeyOfTheRegistrarOverTheProposalsDigest) {
  const std::string id = Submit(Proposal())->amendment().id();
  const auto envelope = Approve(id)->amendment().approval();

  const auto registrar = registrar_.registrar->trust().View()->Find("registrar").value();
  const auto key = registrar->FindKey(envelope.key_id(), v1::KEY_PURPOSE_SIGNING);
  ASSERT_THAT(key, IsOk());
  EXPECT_THAT(crypto::Verify(envelope, passport::kAmendmentApprovalType, *key), IsOk());
  EXPECT_NE(envelope.key_id(), registrar_.authority.token.id());
  passport::v1::AmendmentApproval approval;
  ASSERT_TRUE(approval.ParseFromString(envelope.payload()));
  EXPECT_EQ(ToHex(approval.proposal_digest()), id);
  EXPECT_EQ(approval.issuer(), maker_.did());
  EXPECT_EQ(FromProto(approval.approved_at()).value(), registrar_.clock.Now());
}

TEST_F(AmendmentsTest, SubmittingAgainGivesItAsItStands) {
  const std::string id = Submit(Proposal())->amendment().id();
  ASSERT_THAT(Approve(id), IsOk());
  const size_t acts = registrar_.Acts().size();

  const auto again = Submit(Proposal());

  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->amendment().state(), v1::AMENDMENT_STATE_APPROVED);
  EXPECT_EQ(registrar_.Acts().size(), acts);
}

TEST_F(AmendmentsTest, ApprovingAgainKeepsTheFirstApproval) {
  const std::string id = Submit(Proposal())->amendment().id();
  const auto first = Approve(id);
  registrar_.clock.Advance(absl::Hours(1));

  EXPECT_EQ(Encode(*Approve(id)), Encode(*first));
}

TEST_F(AmendmentsTest, AnApprovalCannotBeSubmitted) {
  v1::SubmitAmendmentRequest request = Proposal();
  request.mutable_amendment()->set_state(v1::AMENDMENT_STATE_APPROVED);
  request.mutable_amendment()->mutable_approval()->set_payload("forged");

  const auto submitted = Submit(request);

  ASSERT_THAT(submitted, IsOk());
  EXPECT_EQ(submitted->amendment().state(), v1::AMENDMENT_STATE_PENDING);
  EXPECT_FALSE(submitted->amendment().has_approval());
}

TEST_F(AmendmentsTest, RefusesTheSameIdWithOtherContent) {
  v1::SubmitAmendmentRequest request = Proposal();
  ASSERT_THAT(Submit(request), IsOk());
  request.mutable_amendment()->set_new_identity(Part("C"));

  EXPECT_THAT(Submit(request), StatusIs(kAlreadyExists));
}

TEST_F(AmendmentsTest, RefusesMalformedProposals) {
  const auto refused = [&](auto change, absl::string_view expected) {
    v1::SubmitAmendmentRequest request = Proposal();
    change(*request.mutable_amendment());
    EXPECT_THAT(Submit(request), StatusIs(kInvalidArgument, HasSubstr(std::string(expected))));
  };
  refused([](auto& a) { a.set_id("abc"); }, "id");
  refused([](auto& a) { a.set_issuer(RegistrarForTest::DidOf("other")); }, "issuer");
  refused([](auto& a) { a.clear_battery(); }, "battery");
  refused([](auto& a) { a.set_old_identity("\xff"); }, "old_identity");
  refused([&](auto& a) { a.set_new_identity(Part("B", "PACK-2")); }, "new_identity");
  refused([](auto& a) { a.set_new_identity(a.old_identity()); }, "differs");
  refused([](auto& a) { a.set_new_identity(a.new_identity() + std::string("\xf8\x07\x01", 3)); },
          "canonical");
}

TEST_F(AmendmentsTest, ApprovesNothingThatWasNotSubmitted) {
  EXPECT_THAT(Approve(std::string(64, 'a')), StatusIs(kNotFound));
}

TEST_F(AmendmentsTest, AnIssuerSeesItsOwnAndTheOperatorAll) {
  ASSERT_THAT(Submit(Proposal("B")), IsOk());
  ASSERT_THAT(Submit(Proposal("C")), IsOk());

  EXPECT_EQ(List(maker_).amendments_size(), 2);
  EXPECT_EQ(List(RegistrarForTest::CallerOf("other")).amendments_size(), 0);
  EXPECT_EQ(List(RegistrarForTest::Operator()).amendments_size(), 2);
}

TEST_F(AmendmentsTest, ListsInOrderOfSubmissionByPageAndState) {
  std::vector<std::string> ids;
  for (const char* model : {"D", "B", "C"}) ids.push_back(Submit(Proposal(model))->amendment().id());
  ASSERT_THAT(Approve(ids[1]), IsOk());
  v1::ListAmendmentsRequest request;
  request.set_page_size(1);
  request.set_state(v1::AMENDMENT_STATE_PENDING);

  const auto first = List(maker_, request);
  request.set_page_token(first.next_page_token());
  const auto second = List(maker_, request);

  ASSERT_EQ(first.amendments_size(), 1);
  EXPECT_EQ(first.amendments(0).id(), ids[0]);
  ASSERT_EQ(second.amendments_size(), 1);
  EXPECT_EQ(second.amendments(0).id(), ids[2]);
  EXPECT_EQ(second.next_page_token(), "");
  request.set_page_token("x");
  EXPECT_THAT(registrar_.registrar->amendments().List(maker_, request), StatusIs(kInvalidArgument));
}

}  // namespace
}  // namespace tsunagi::identity
