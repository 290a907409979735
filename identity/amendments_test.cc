#include "identity/amendments.h"

#include "core/base/bytes.h"
#include "core/crypto/digest.h"
#include "core/store/key.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/proposals.h"
#include "identity/registrar_for_test.h"
#include "passport/model/digests.h"
#include "passport/model/slots.h"
#include "passport/model/verify.h"
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
  using Event = passport::v1::EventDisclosure;

  // An event of the maker's with its identity part open; the other slots are digests.
  Event Shown(passport::v1::EventType type, const std::string& identity, const std::string& refers_to = "") {
    passport::v1::EventHeader header;
    header.set_type(type);
    header.mutable_subject()->set_manufacturer(maker_.did());
    header.mutable_subject()->set_serial("PACK-1");
    header.set_author(maker_.did());
    header.set_sequence(1);
    header.set_nonce(std::string(16, 'n'));
    header.set_refers_to(refers_to);
    Event event;
    for (const passport::v1::PartKind kind : passport::SlotsOf(type)) {
      header.add_slots(kind);
      event.add_slots()->set_digest(std::string(32, 'd'));
    }
    event.mutable_slots(0)->mutable_open()->set_salt(std::string(16, 's'));
    event.mutable_slots(0)->mutable_open()->set_content(identity);
    event.set_header(Encode(header));
    return event;
  }
  static std::string DigestOf(const Event& event) {
    passport::v1::EventHeader header;
    EXPECT_TRUE(header.ParseFromString(event.header()));
    return passport::DisclosedDigest(header, event).value();
  }
  static void ChangeHeader(Event& event, const std::function<void(passport::v1::EventHeader&)>& change) {
    passport::v1::EventHeader header;
    EXPECT_TRUE(header.ParseFromString(event.header()));
    change(header);
    event.set_header(Encode(header));
  }
  Event Registration() { return Shown(passport::v1::EVENT_TYPE_REGISTERED, Part("A")); }
  v1::SubmitAmendmentRequest Proposal(const std::string& new_model = "B") {
    v1::SubmitAmendmentRequest request;
    *request.mutable_in_force() = Registration();
    *request.mutable_proposal() =
        Shown(passport::v1::EVENT_TYPE_AMENDMENT_PROPOSED, Part(new_model), DigestOf(request.in_force()));
    return request;
  }
  absl::StatusOr<v1::SubmitAmendmentResponse> Submit(const v1::SubmitAmendmentRequest& request) {
    return WaitFor<v1::SubmitAmendmentResponse>(
        [&](auto done) { registrar_.registrar->amendments().Submit(maker_, request, std::move(done)); });
  }
  absl::StatusOr<v1::ApproveAmendmentResponse> Approve(const std::string& id,
                                                       const Caller& by = RegistrarForTest::Operator()) {
    v1::ApproveAmendmentRequest request;
    request.set_id(id);
    return WaitFor<v1::ApproveAmendmentResponse>(
        [&](auto done) { registrar_.registrar->amendments().Approve(by, request, std::move(done)); });
  }
  v1::AmendmentState StateAfter(const std::string& id, const Caller& by) {
    return Approve(id, by).value().amendment().state();
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

TEST_F(AmendmentsTest, TakesEverythingFromTheEventsThatItIsShown) {
  const v1::SubmitAmendmentRequest request = Proposal();

  const auto submitted = Submit(request);

  ASSERT_THAT(submitted, IsOk());
  const v1::Amendment& amendment = submitted->amendment();
  EXPECT_EQ(amendment.id(), ToHex(DigestOf(request.proposal())));
  EXPECT_EQ(amendment.issuer(), maker_.did());
  EXPECT_EQ(amendment.battery().serial(), "PACK-1");
  EXPECT_EQ(amendment.old_identity(), Part("A"));
  EXPECT_EQ(amendment.new_identity(), Part("B"));
}

TEST_F(AmendmentsTest, AnApprovalOfASwappedIdentityPartIsForNoOtherEvent) {
  v1::SubmitAmendmentRequest request = Proposal();
  const std::string real = ToHex(DigestOf(request.proposal()));
  request.mutable_proposal()->mutable_slots(0)->mutable_open()->set_content(Part("harmless"));

  const auto submitted = Submit(request);

  ASSERT_THAT(submitted, IsOk());
  EXPECT_NE(submitted->amendment().id(), real);
  EXPECT_THAT(Approve(real), StatusIs(kNotFound));
}

TEST_F(AmendmentsTest, RefusesAnotherPartysProposal) {
  v1::SubmitAmendmentRequest request = Proposal();
  for (Event* event : {request.mutable_proposal(), request.mutable_in_force()}) {
    ChangeHeader(*event, [](auto& header) { header.set_author(RegistrarForTest::DidOf("other")); });
  }
  ChangeHeader(*request.mutable_proposal(),
               [&](auto& header) { header.set_refers_to(DigestOf(request.in_force())); });

  EXPECT_THAT(Submit(request), StatusIs(kInvalidArgument, HasSubstr("calling participant")));
}

TEST_F(AmendmentsTest, RefusesAnOldValueThatTheProposalDoesNotCorrect) {
  const auto refused = [&](const std::function<void(v1::SubmitAmendmentRequest&)>& change,
                           const std::string& expected) {
    v1::SubmitAmendmentRequest request = Proposal();
    change(request);
    EXPECT_THAT(Submit(request), StatusIs(kInvalidArgument, HasSubstr(expected)));
  };
  refused(
      [&](auto& r) { r.mutable_in_force()->mutable_slots(0)->mutable_open()->set_content(Part("harmless")); },
      "the registration that the proposal refers to");
  refused([&](auto& r) { r.mutable_in_force()->mutable_slots(1)->set_digest(std::string(32, 'e')); },
          "the registration that the proposal refers to");
  refused(
      [&](auto& r) {
        ChangeHeader(*r.mutable_in_force(), [](auto& h) { h.mutable_subject()->set_serial("PACK-2"); });
        r.mutable_in_force()->mutable_slots(0)->mutable_open()->set_content(Part("A", "PACK-2"));
        ChangeHeader(*r.mutable_proposal(), [&](auto& h) { h.set_refers_to(DigestOf(r.in_force())); });
      },
      "the same battery");
  refused(
      [&](auto& r) {
        ChangeHeader(*r.mutable_in_force(), [](auto& h) { h.set_author(RegistrarForTest::DidOf("other")); });
        ChangeHeader(*r.mutable_proposal(), [&](auto& h) { h.set_refers_to(DigestOf(r.in_force())); });
      },
      "the proposal's author");
}

TEST_F(AmendmentsTest, TakesACorrectionAsTheOldValueOnceItIsApproved) {
  const v1::SubmitAmendmentRequest first = Proposal("B");
  const std::string id = Submit(first)->amendment().id();
  v1::SubmitAmendmentRequest second = Proposal("C");
  *second.mutable_in_force() = first.proposal();
  EXPECT_THAT(Submit(second), StatusIs(kInvalidArgument, HasSubstr("approved correction")));
  ASSERT_THAT(Approve(id), IsOk());

  const auto submitted = Submit(second);

  ASSERT_THAT(submitted, IsOk());
  EXPECT_EQ(submitted->amendment().old_identity(), Part("B"));
  ChangeHeader(*second.mutable_proposal(), [](auto& h) { h.set_refers_to(std::string(32, 'r')); });
  EXPECT_THAT(Submit(second), StatusIs(kInvalidArgument)) << "a correction of another registration";
}

TEST_F(AmendmentsTest, RefusesTheSameProposalWithAnotherEventInForce) {
  const v1::SubmitAmendmentRequest first = Proposal("B");
  ASSERT_THAT(Approve(Submit(first)->amendment().id()), IsOk());
  v1::SubmitAmendmentRequest second = Proposal("C");
  ASSERT_THAT(Submit(second), IsOk());
  *second.mutable_in_force() = first.proposal();

  EXPECT_THAT(Submit(second), StatusIs(kAlreadyExists));
}

TEST_F(AmendmentsTest, RefusesMalformedEvents) {
  const auto refused = [&](const std::function<void(Event&)>& change, const std::string& expected) {
    v1::SubmitAmendmentRequest request = Proposal();
    change(*request.mutable_proposal());
    EXPECT_THAT(Submit(request),
                StatusIs(kInvalidArgument, ::testing::AllOf(HasSubstr("proposal"), HasSubstr(expected))));
  };
  const auto identity = [](Event& event) {
    return event.mutable_slots(0)->mutable_open()->mutable_content();
  };
  refused([](Event& e) { e.set_header("\xff"); }, "registration or a proposed");
  refused([](Event& e) { ChangeHeader(e, [](auto& h) { h.clear_subject(); }); },
          "registration or a proposed");
  refused([](Event& e) { ChangeHeader(e, [](auto& h) { h.set_slots(1, h.slots(0)); }); },
          "registration or a proposed");
  refused([](Event& e) { e.set_header(e.header() + std::string("\xf8\x07\x01", 3)); },
          "registration or a proposed");
  refused([](Event& e) { ChangeHeader(e, [](auto& h) { h.set_type(passport::v1::EVENT_TYPE_REGISTERED); }); },
          "amendment-proposed");
  refused([](Event& e) { e.mutable_slots(0)->set_digest(std::string(32, 'd')); }, "slot 0 withheld");
  refused([](Event& e) { e.mutable_slots(2)->mutable_open()->set_salt(std::string(16, 's')); },
          "slot 2 open");
  refused([](Event& e) { e.mutable_slots()->RemoveLast(); }, "3 slots");
  refused([](Event& e) { e.mutable_slots(0)->mutable_open()->set_salt("short"); }, "its salt");
  refused([&](Event& e) { *identity(e) = "\xff"; }, "canonical");
  refused([&](Event& e) { *identity(e) += std::string("\xf8\x07\x01", 3); }, "canonical");
  refused([&](Event& e) { *identity(e) = Part("B", "PACK-2"); }, "the battery of the event");
  refused([&](Event& e) { *identity(e) = Part("A"); }, "differs");
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

class TwoPersonAmendmentsTest : public AmendmentsTest {
 protected:
  TwoPersonAmendmentsTest() {
    registrar_.options.two_person_approval = true;
    registrar_.Restart();
  }

  const std::string id_ = Submit(Proposal())->amendment().id();
  const Caller tanaka_ = registrar_.OperatorNamed("Tanaka");
  const Caller suzuki_ = registrar_.OperatorNamed("Suzuki");
};

TEST_F(TwoPersonAmendmentsTest, TwoPersonsApprove) {
  EXPECT_EQ(StateAfter(id_, tanaka_), v1::AMENDMENT_STATE_PENDING);
  EXPECT_THAT(Approve(id_, tanaka_), StatusIs(kFailedPrecondition, HasSubstr("another person")));
  EXPECT_FALSE(List(RegistrarForTest::Operator()).amendments(0).has_approval());

  EXPECT_EQ(StateAfter(id_, suzuki_), v1::AMENDMENT_STATE_APPROVED);

  EXPECT_EQ(registrar_.Acts().back(), "amendment-approved");
  EXPECT_EQ(registrar_.Acts()[registrar_.Acts().size() - 2], "amendment-proposed");
  EXPECT_EQ(StateAfter(id_, tanaka_), v1::AMENDMENT_STATE_APPROVED) << "an approved one stays as it is";
}

TEST_F(TwoPersonAmendmentsTest, ACertificateThatNamesNoPersonApprovesNothing) {
  EXPECT_THAT(Approve(id_), StatusIs(kFailedPrecondition, HasSubstr("--person")));
  EXPECT_EQ(StateAfter(id_, tanaka_), v1::AMENDMENT_STATE_PENDING);
  EXPECT_THAT(Approve(id_), StatusIs(kFailedPrecondition, HasSubstr("--person")));
}

TEST_F(TwoPersonAmendmentsTest, AFirstApprovalExpires) {
  ASSERT_EQ(StateAfter(id_, tanaka_), v1::AMENDMENT_STATE_PENDING);
  registrar_.clock.Advance(kProposalLife);

  EXPECT_EQ(StateAfter(id_, suzuki_), v1::AMENDMENT_STATE_PENDING) << "now the first one";
  EXPECT_EQ(StateAfter(id_, tanaka_), v1::AMENDMENT_STATE_APPROVED);
}

TEST_F(TwoPersonAmendmentsTest, AFirstApprovalIsOfWhatWasSeen) {
  ASSERT_EQ(StateAfter(id_, tanaka_), v1::AMENDMENT_STATE_PENDING);
  v1::Amendment changed = List(RegistrarForTest::Operator()).amendments(0);
  changed.set_old_identity(Part("C"));
  ASSERT_THAT(registrar_.store->Apply(
                  {store::Put(store::Table::kState, store::Key("amendment").Str(id_), Encode(changed))}),
              IsOk());

  EXPECT_EQ(StateAfter(id_, suzuki_), v1::AMENDMENT_STATE_PENDING);
}

}  // namespace
}  // namespace tsunagi::identity
