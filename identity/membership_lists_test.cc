// Who is listed, and what waits.
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/membership.h"
#include "identity/registrar_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

std::vector<std::string> LabelsOf(const absl::StatusOr<v1::ListParticipantsResponse>& page) {
  std::vector<std::string> labels;
  for (const v1::ListedParticipant& row : page.value().participants()) {
    labels.push_back(row.participant().label());
  }
  return labels;
}

class ListTest : public ::testing::Test {
 protected:
  ListTest() {
    v1::Participant maker = RegistrarForTest::Named("c-maker");
    v1::PartyIdentifier& identifier = *maker.add_identifiers();
    identifier.set_scheme("houjin-bangou");
    identifier.set_value("7000012050002");
    maker.set_name_latin("Tokai Cell Manufacturing");
    maker.set_name_ja("東海セル製造株式会社");
    maker.set_name_kana("トウカイセルセイゾウ");
    maker.add_roles("cell-maker");
    EXPECT_THAT(registrar_.TryRegister(maker), IsOk());
    for (const char* label : {"a", "b"}) {
      v1::Participant dealer = RegistrarForTest::Named(label);
      dealer.add_roles("dealer");
      EXPECT_THAT(registrar_.TryRegister(dealer), IsOk());
    }
  }
  std::vector<std::string> Find(const std::string& search, const std::string& role = "") {
    v1::ListParticipantsRequest request;
    request.set_search(search);
    request.set_role(role);
    return LabelsOf(membership().List(request));
  }
  Membership& membership() { return registrar_.registrar->membership(); }

  RegistrarForTest registrar_;
};

TEST_F(ListTest, GivesPagesByLabel) {
  v1::ListParticipantsRequest request;
  request.set_page_size(3);
  const auto first = membership().List(request).value();
  request.set_page_token(first.next_page_token());
  const auto second = membership().List(request).value();

  EXPECT_THAT(LabelsOf(first), ElementsAre("a", "b", "c-maker"));
  EXPECT_THAT(LabelsOf(second), ElementsAre("registrar"));
  EXPECT_EQ(second.next_page_token(), "");
  request.set_page_size(1001);
  EXPECT_THAT(membership().List(request), StatusIs(kInvalidArgument));
}

TEST_F(ListTest, FindsByPartOfNameLabelDidAndIdentifier) {
  EXPECT_THAT(Find("セル製造"), ElementsAre("c-maker"));
  EXPECT_THAT(Find("c-mak"), ElementsAre("c-maker"));
  EXPECT_THAT(Find("participants:b"), ElementsAre("b"));
  EXPECT_THAT(Find("12050002"), ElementsAre("c-maker"));
  EXPECT_THAT(Find("nobody"), IsEmpty());
}

TEST_F(ListTest, FindsWithoutRegardToCaseAndWidth) {
  EXPECT_THAT(Find("tOKAI cell"), ElementsAre("c-maker"));
  EXPECT_THAT(Find("ＴＯＫＡＩ"), ElementsAre("c-maker"));
  EXPECT_THAT(Find("ﾄｳｶｲｾﾙ"), ElementsAre("c-maker"));
  EXPECT_THAT(Find("ｾｲｿﾞｳ"), ElementsAre("c-maker"));
}

TEST_F(ListTest, FindsByRole) {
  EXPECT_THAT(Find("", "dealer"), ElementsAre("a", "b"));
  EXPECT_THAT(Find("tokai", "dealer"), IsEmpty());
  EXPECT_THAT(Find("", "deal"), IsEmpty());
}

TEST_F(ListTest, ATokenIsOfItsOwnSearchOnly) {
  v1::ListParticipantsRequest request;
  request.set_page_size(1);
  request.set_role("dealer");
  const auto first = membership().List(request).value();
  request.set_page_token(first.next_page_token());
  EXPECT_THAT(LabelsOf(membership().List(request)), ElementsAre("b"));

  request.set_role("cell-maker");
  EXPECT_THAT(membership().List(request), StatusIs(kInvalidArgument, HasSubstr("page_token")));
  request.set_role("dealer");
  request.set_search("b");
  EXPECT_THAT(membership().List(request), StatusIs(kInvalidArgument, HasSubstr("page_token")));
  for (const char* token : {"b", "b.", "../x.00", "B.0000000000000000"}) {
    request.set_page_token(token);
    EXPECT_THAT(membership().List(request), StatusIs(kInvalidArgument, HasSubstr("page_token"))) << token;
  }
}

TEST_F(ListTest, RefusesASearchThatIsNoText) {
  v1::ListParticipantsRequest request;
  request.set_search("\xff");
  EXPECT_THAT(membership().List(request), StatusIs(kInvalidArgument, HasSubstr("search")));
  request.set_search(std::string(201, 'a'));
  EXPECT_THAT(membership().List(request), StatusIs(kInvalidArgument, HasSubstr("search")));
}

TEST_F(ListTest, GivesWhatWaitsInPages) {
  for (const char* label : {"y", "x", "z"}) {
    ASSERT_THAT(registrar_.Apply(registrar_.Application(RegistrarForTest::Named(label), false)), IsOk());
  }
  v1::ListPendingRequest request;
  request.set_page_size(2);
  const auto first = membership().ListPending(request).value();
  request.set_page_token(first.next_page_token());
  const auto second = membership().ListPending(request).value();

  ASSERT_EQ(first.pending_size(), 2);
  EXPECT_EQ(first.pending(0).label(), "x");
  ASSERT_EQ(second.pending_size(), 1);
  EXPECT_EQ(second.pending(0).label(), "z");
  request.set_page_token("Z");
  EXPECT_THAT(membership().ListPending(request), StatusIs(kInvalidArgument, HasSubstr("page_token")));
}

}  // namespace
}  // namespace tsunagi::identity
