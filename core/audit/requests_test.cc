#include "core/audit/requests.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/journal_fixture_for_test.h"
#include "core/crypto/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::audit {
namespace {

using ::testing::Optional;
using ::tsunagi::testing::IsOk;
using ::tsunagi::testing::IsOkAndHolds;
using ::tsunagi::testing::StatusIs;

constexpr char kId[] = "7d2f6a0e-8b1c-4a37-9f54-0c1e5b6a9d21";
const absl::Time kNow = absl::FromUnixSeconds(1795219200);

class RequestsTest : public JournalFixture {
 protected:
  RequestKey Request(absl::string_view body = "body") const {
    return {"did:web:a.example", "/File", kId, crypto::Sha256(body)};
  }
  void Remember(const RequestKey& request, absl::string_view reply) {
    std::vector<store::Write> writes;
    RememberReply(request, reply, kNow, writes);
    ASSERT_THAT(memory_->Apply(writes), IsOk());
  }
  // But for the checkpoint.
  int StateRows() const {
    int rows = -1;
    EXPECT_THAT(memory_->Scan(store::Table::kState, "", "", [&](auto, auto) { return ++rows >= 0; }), IsOk());
    return rows;
  }
};

TEST_F(RequestsTest, KnowsNothingOfANewRequest) {
  EXPECT_THAT(FindReply(*memory_, Request()), IsOkAndHolds(std::nullopt));
}

TEST_F(RequestsTest, GivesTheSameReplyAgain) {
  Remember(Request(), "reply");

  EXPECT_THAT(FindReply(*memory_, Request()), IsOkAndHolds(Optional(std::string("reply"))));
}

TEST_F(RequestsTest, TellsAnEmptyReplyFromNone) {
  Remember(Request(), "");

  EXPECT_THAT(FindReply(*memory_, Request()), IsOkAndHolds(Optional(std::string())));
}

TEST_F(RequestsTest, RefusesAnIdThatWasUsedWithAnotherBody) {
  Remember(Request("body"), "reply");

  EXPECT_THAT(FindReply(*memory_, Request("other")), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(RequestsTest, KeepsCallersAndMethodsApart) {
  Remember(Request(), "reply");
  RequestKey other_caller = Request("other");
  other_caller.caller = "did:web:b.example";
  RequestKey other_method = Request("other");
  other_method.method = "/Find";

  EXPECT_THAT(FindReply(*memory_, other_caller), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(FindReply(*memory_, other_method), IsOkAndHolds(std::nullopt));
  EXPECT_NE(StoredRequestKey(other_caller), StoredRequestKey(other_method));
}

TEST_F(RequestsTest, RefusesAnIdThatIsNoUuid) {
  for (const char* id :
       {"", "1", "7D2F6A0E-8B1C-4A37-9F54-0C1E5B6A9D21", "7d2f6a0e8b1c4a379f540c1e5b6a9d21"}) {
    RequestKey request = Request();
    request.request_id = id;
    EXPECT_THAT(FindReply(*memory_, request), StatusIs(absl::StatusCode::kInvalidArgument)) << id;
  }
}

TEST_F(RequestsTest, ForgetsAReplyAfterSevenDays) {
  OpenJournal();
  Remember(Request(), "reply");
  ASSERT_THAT(ForgetReplies(*journal_, kNow + absl::Hours(7 * 24) - absl::Seconds(1)), IsOk());
  EXPECT_THAT(FindReply(*memory_, Request()), IsOkAndHolds(Optional(std::string("reply"))));

  ASSERT_THAT(ForgetReplies(*journal_, kNow + absl::Hours(7 * 24)), IsOk());

  EXPECT_THAT(FindReply(*memory_, Request()), IsOkAndHolds(std::nullopt));
  EXPECT_EQ(StateRows(), 0) << "nothing of it is left";
}

TEST_F(RequestsTest, ReadsOnlyRepliesThatAreOver) {
  OpenJournal();
  Remember(Request(), "reply");
  ASSERT_THAT(memory_->Apply({store::Put(store::Table::kState, StoredRequestKey(Request()), "\xff")}),
              IsOk());

  EXPECT_THAT(ForgetReplies(*journal_, kNow), IsOk());

  EXPECT_EQ(StateRows(), 2);
}

TEST_F(RequestsTest, ForgetsAThousandAtOnce) {
  OpenJournal();
  std::vector<store::Write> writes;
  for (int i = 0; i < 2001; ++i) {
    const std::string caller = absl::StrCat(i);
    RequestKey request = Request();
    request.caller = caller;
    RememberReply(request, "reply", kNow, writes);
  }
  ASSERT_THAT(memory_->Apply(writes), IsOk());
  const int before = faults_.applies();

  ASSERT_THAT(ForgetReplies(*journal_, kNow + absl::Hours(200)), IsOk());

  EXPECT_EQ(faults_.applies() - before, 3);
  EXPECT_EQ(StateRows(), 0);
}

TEST_F(RequestsTest, NoticesADamagedReply) {
  ASSERT_THAT(memory_->Apply({store::Put(store::Table::kState, StoredRequestKey(Request()), "\xff")}),
              IsOk());

  EXPECT_THAT(FindReply(*memory_, Request()), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace tsunagi::audit
