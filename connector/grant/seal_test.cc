#include "connector/grant/seal.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "core/base/proto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/grants.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::grant {
namespace {

using testing::ClaimsFor;
using testing::FakeClock;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::kTestSealKey;
using testing::SealClaims;
using testing::StatusIs;

class UnsealerTest : public ::testing::Test {
 protected:
  UnsealerTest() : claims_(ClaimsFor(subjects_, {common::v1::SECTION_CONDITION}, clock_.Now())) {}

  FakeClock clock_;
  const std::vector<common::v1::Subject> subjects_ = [] {
    common::v1::Subject subject;
    subject.mutable_battery()->set_serial("M-1");
    return std::vector<common::v1::Subject>{subject};
  }();
  internal::v1::GrantClaims claims_;
  Unsealer unsealer_{kTestSealKey, "passport", clock_};
};

TEST_F(UnsealerTest, OpensWhatWasSealedForItsProcess) {
  const auto grant = unsealer_.Open(SealClaims(claims_));

  ASSERT_THAT(grant, IsOk());
  EXPECT_TRUE(grant->Opens(passport::v1::PART_KIND_CONDITION));
  EXPECT_TRUE(grant->Opens(passport::v1::PART_KIND_CONDITION_SERIES));
  EXPECT_FALSE(grant->Opens(passport::v1::PART_KIND_MATERIALS));
  EXPECT_TRUE(grant->Covers(SubjectsDigest(subjects_)));
}

TEST_F(UnsealerTest, ReadsWhatSealWrites) {
  const auto grant = unsealer_.Open(SealClaims(claims_));
  ASSERT_THAT(grant, IsOk());

  EXPECT_EQ(Seal(*grant, kTestSealKey), SealClaims(claims_));
}

TEST_F(UnsealerTest, RefusesEveryChangedByte) {
  const std::string sealed = SealClaims(claims_);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_THAT(unsealer_.Open(changed), StatusIs(absl::StatusCode::kPermissionDenied)) << "byte " << i;
  }
  EXPECT_THAT(unsealer_.Open(sealed), IsOk()) << "refused copies do not use the nonce up";
}

TEST_F(UnsealerTest, RefusesTruncatedAndExtendedBytes) {
  const std::string sealed = SealClaims(claims_);
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_THAT(unsealer_.Open(sealed.substr(0, size)), StatusIs(absl::StatusCode::kPermissionDenied));
  }
  EXPECT_THAT(unsealer_.Open(sealed + '\0'), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(UnsealerTest, RefusesUnknownFieldsUnderAValidSeal) {
  std::string encoded = Encode(claims_);
  encoded += "\xfa\x01\x01x";  // field 31
  internal::v1::SealedGrant sealed;
  sealed.set_claims(encoded);
  sealed.set_seal(crypto::HmacSha256(kTestSealKey, {encoded}));

  EXPECT_THAT(unsealer_.Open(Encode(sealed)),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("malformed")));
}

TEST_F(UnsealerTest, RefusesAnotherKey) {
  EXPECT_THAT(unsealer_.Open(SealClaims(claims_, "another key")),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("seal")));
}

TEST_F(UnsealerTest, RefusesAnotherProcessesGrant) {
  claims_.set_target_process("catalog");

  EXPECT_THAT(unsealer_.Open(SealClaims(claims_)),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("another process")));
}

TEST_F(UnsealerTest, OpensAGrantOnce) {
  ASSERT_THAT(unsealer_.Open(SealClaims(claims_)), IsOk());

  EXPECT_THAT(unsealer_.Open(SealClaims(claims_)),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("used before")));
}

TEST_F(UnsealerTest, TakesANonceOnceWhateverTheExpiry) {
  ASSERT_THAT(unsealer_.Open(SealClaims(claims_)), IsOk());
  *claims_.mutable_expire_time() = ToProto(clock_.Now() + absl::Seconds(5));

  EXPECT_THAT(unsealer_.Open(SealClaims(claims_)), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(UnsealerTest, RemembersNoncesUntilTheirGrantsExpire) {
  ASSERT_THAT(unsealer_.Open(SealClaims(claims_)), IsOk());
  clock_.Advance(absl::Seconds(19));
  internal::v1::GrantClaims other = claims_;
  other.set_nonce(std::string(16, 'o'));
  ASSERT_THAT(unsealer_.Open(SealClaims(other)), IsOk());

  EXPECT_THAT(unsealer_.Open(SealClaims(claims_)),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("used before")));
}

TEST_F(UnsealerTest, RefusesExpiredGrants) {
  const std::string sealed = SealClaims(claims_);
  clock_.Advance(absl::Seconds(20));

  EXPECT_THAT(unsealer_.Open(sealed), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("expired")));
}

TEST_F(UnsealerTest, RefusesGrantsThatLiveLongerThanThirtySeconds) {
  *claims_.mutable_expire_time() = ToProto(clock_.Now() + absl::Seconds(31));
  EXPECT_THAT(unsealer_.Open(SealClaims(claims_)),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("30")));

  *claims_.mutable_expire_time() = ToProto(clock_.Now() + absl::Seconds(30));
  EXPECT_THAT(unsealer_.Open(SealClaims(claims_)), IsOk());
}

TEST_F(UnsealerTest, RefusesNoncesOfAnotherSizeAndMissingExpiry) {
  internal::v1::GrantClaims short_nonce = claims_;
  short_nonce.set_nonce("short");
  EXPECT_THAT(unsealer_.Open(SealClaims(short_nonce)), StatusIs(absl::StatusCode::kPermissionDenied));

  claims_.clear_expire_time();
  EXPECT_THAT(unsealer_.Open(SealClaims(claims_)), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(UnsealerTest, LetsOneOfManyThreadsThrough) {
  const std::string sealed = SealClaims(claims_);
  std::atomic<int> opened = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { opened += unsealer_.Open(sealed).ok() ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(opened, 1);
}

TEST(SubjectsDigestTest, DependsOnEverySubjectAndTheirOrder) {
  common::v1::Subject a;
  a.mutable_battery()->set_serial("A");
  common::v1::Subject b;
  b.mutable_battery()->set_serial("B");
  common::v1::Subject vehicle;
  vehicle.set_vehicle("A");

  EXPECT_NE(SubjectsDigest({a, b}), SubjectsDigest({b, a}));
  EXPECT_NE(SubjectsDigest({a}), SubjectsDigest({a, a}));
  EXPECT_NE(SubjectsDigest({a}), SubjectsDigest({vehicle}));
  EXPECT_EQ(SubjectsDigest({a, b}), SubjectsDigest({a, b}));
}

}  // namespace
}  // namespace tsunagi::grant
