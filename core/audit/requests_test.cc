#include "core/audit/requests.h"

#include <optional>
#include <string>
#include <vector>

#include "core/crypto/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::audit {
namespace {

using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;
using ::tsunagi::testing::IsOk;
using ::tsunagi::testing::IsOkAndHolds;
using ::tsunagi::testing::StatusIs;

constexpr char kId[] = "7d2f6a0e-8b1c-4a37-9f54-0c1e5b6a9d21";
const absl::Time kNow = absl::FromUnixSeconds(1795219200);

class RequestsTest : public ::testing::Test {
 protected:
  RequestKey Request(absl::string_view body = "body") const {
    return {"did:web:a.example", "/File", kId, crypto::Sha256(body)};
  }
  void Remember(const RequestKey& request, absl::string_view reply) {
    ASSERT_THAT(store_->Apply({RememberReply(request, reply, kNow)}), IsOk());
  }
  std::unique_ptr<store::Store> store_ = store::NewMemoryStore();
};

TEST_F(RequestsTest, KnowsNothingOfANewRequest) {
  EXPECT_THAT(FindReply(*store_, Request()), IsOkAndHolds(std::nullopt));
}

TEST_F(RequestsTest, GivesTheSameReplyAgain) {
  Remember(Request(), "reply");

  EXPECT_THAT(FindReply(*store_, Request()), IsOkAndHolds(Optional(std::string("reply"))));
}

TEST_F(RequestsTest, TellsAnEmptyReplyFromNone) {
  Remember(Request(), "");

  EXPECT_THAT(FindReply(*store_, Request()), IsOkAndHolds(Optional(std::string())));
}

TEST_F(RequestsTest, RefusesAnIdThatWasUsedWithAnotherBody) {
  Remember(Request("body"), "reply");

  EXPECT_THAT(FindReply(*store_, Request("other")), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(RequestsTest, KeepsCallersAndMethodsApart) {
  Remember(Request(), "reply");
  RequestKey other_caller = Request("other");
  other_caller.caller = "did:web:b.example";
  RequestKey other_method = Request("other");
  other_method.method = "/Find";

  EXPECT_THAT(FindReply(*store_, other_caller), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(FindReply(*store_, other_method), IsOkAndHolds(std::nullopt));
  EXPECT_NE(StoredRequestKey(other_caller), StoredRequestKey(other_method));
}

TEST_F(RequestsTest, RefusesAnIdThatIsNoUuid) {
  for (const char* id :
       {"", "1", "7D2F6A0E-8B1C-4A37-9F54-0C1E5B6A9D21", "7d2f6a0e8b1c4a379f540c1e5b6a9d21"}) {
    RequestKey request = Request();
    request.request_id = id;
    EXPECT_THAT(FindReply(*store_, request), StatusIs(absl::StatusCode::kInvalidArgument)) << id;
  }
}

TEST_F(RequestsTest, ForgetsAReplyAfterSevenDays) {
  Remember(Request(), "reply");

  EXPECT_THAT(ForgetReplies(*store_, kNow + absl::Hours(7 * 24) - absl::Seconds(1), 10),
              IsOkAndHolds(IsEmpty()));
  const auto writes = ForgetReplies(*store_, kNow + absl::Hours(7 * 24), 10);
  ASSERT_THAT(writes, IsOkAndHolds(SizeIs(1)));
  ASSERT_THAT(store_->Apply(*writes), IsOk());
  EXPECT_THAT(FindReply(*store_, Request()), IsOkAndHolds(std::nullopt));
}

TEST_F(RequestsTest, ForgetsAtMostAsManyAsTold) {
  for (const char* caller : {"a", "b", "c"}) {
    RequestKey request = Request();
    request.caller = caller;
    Remember(request, "reply");
  }

  EXPECT_THAT(ForgetReplies(*store_, kNow + absl::Hours(200), 2), IsOkAndHolds(SizeIs(2)));
}

TEST_F(RequestsTest, NoticesADamagedReply) {
  ASSERT_THAT(store_->Apply({store::Put(store::Table::kState, StoredRequestKey(Request()), "\xff")}), IsOk());

  EXPECT_THAT(FindReply(*store_, Request()), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace tsunagi::audit
