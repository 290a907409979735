#include "core/crypto/time_stamp.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/crypto/time_stamp_for_test.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/run_program.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::crypto {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using enum absl::StatusCode;
using Options = StampingAuthorityForTest::Options;

constexpr absl::Duration kYear = absl::Hours(365 * 24);

class TimeStampTest : public ::testing::Test {
 protected:
  static TimeStampVerifier VerifierOf(const StampingAuthorityForTest& authority) {
    return TimeStampVerifier::FromPem(authority.root_pem()).value();
  }
  // What becomes of the reply of an authority that is not quite one.
  absl::Status StatusUnder(const Options& options) const {
    const StampingAuthorityForTest odd(options);
    return VerifierOf(odd).OpenReply(odd.Reply(query_, now_), query_).status();
  }

  const absl::Time now_ = absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()));
  const StampingAuthorityForTest authority_;
  const TimeStampVerifier verifier_ = VerifierOf(authority_);
  const TimeStampQuery query_ = {"a checkpoint", "0123456789abcdef", ""};
};

TEST_F(TimeStampTest, OpensTheReplyToItsQuery) {
  const auto stamped = verifier_.OpenReply(authority_.Reply(query_, now_), query_);

  ASSERT_THAT(stamped, IsOk());
  EXPECT_EQ(stamped->stamp.time, now_);
  EXPECT_EQ(stamped->stamp.policy, "1.2.392.7");
  EXPECT_EQ(stamped->stamp.authority, "CN=stamping unit");
  const auto again = verifier_.Verify(stamped->token, query_.message);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->time, now_);
}

TEST_F(TimeStampTest, RefusesAReplyOverAnotherMessage) {
  const std::string other = authority_.Reply({"another checkpoint", query_.nonce, ""}, now_);

  EXPECT_THAT(verifier_.OpenReply(other, query_), StatusIs(kUnauthenticated, HasSubstr("imprint")));
}

TEST_F(TimeStampTest, RefusesAReplyToAnEarlierQuery) {
  const std::string replayed = authority_.Reply({query_.message, "an earlier nonce", ""}, now_);

  EXPECT_THAT(verifier_.OpenReply(replayed, query_), StatusIs(kUnauthenticated, HasSubstr("nonce")));
}

TEST_F(TimeStampTest, RefusesAReplyWithoutNonce) {
  EXPECT_THAT(verifier_.OpenReply(authority_.Reply({query_.message, "", ""}, now_), query_),
              StatusIs(kUnauthenticated, HasSubstr("nonce")));
}

TEST_F(TimeStampTest, RefusesAnotherPolicyThanWasAskedFor) {
  TimeStampQuery query = query_;
  query.policy = "1.2.392.8";

  EXPECT_THAT(verifier_.OpenReply(authority_.Reply(query, now_), query), IsOk());
  EXPECT_THAT(verifier_.OpenReply(authority_.Reply(query_, now_), query),
              StatusIs(kUnauthenticated, HasSubstr("policy")));
}

TEST_F(TimeStampTest, SaysWhyTheAuthorityRefused) {
  const std::string refusal =
      StampingAuthorityForTest::Refusal(TS_STATUS_REJECTION, TS_INFO_TIME_NOT_AVAILABLE);

  EXPECT_THAT(verifier_.OpenReply(refusal, query_),
              StatusIs(kFailedPrecondition, HasSubstr("status 2: timeNotAvailable")));
  EXPECT_THAT(verifier_.OpenReply(StampingAuthorityForTest::Refusal(TS_STATUS_WAITING, -1), query_),
              StatusIs(kFailedPrecondition, HasSubstr("status 3: it gives no reason")));
}

TEST_F(TimeStampTest, RefusesAReplyThatIsGrantedAndHasNoToken) {
  EXPECT_THAT(verifier_.OpenReply(StampingAuthorityForTest::Refusal(TS_STATUS_GRANTED, -1), query_),
              StatusIs(kInvalidArgument, HasSubstr("TimeStampResp")));
}

TEST_F(TimeStampTest, RefusesAnotherAuthority) {
  const StampingAuthorityForTest other;

  EXPECT_THAT(verifier_.OpenReply(other.Reply(query_, now_), query_),
              StatusIs(kUnauthenticated, HasSubstr("Verify error")));
}

TEST_F(TimeStampTest, RefusesASignerThatIsNotForTimeStamping) {
  Options options;
  options.time_stamping = false;

  EXPECT_THAT(StatusUnder(options), StatusIs(kUnauthenticated, HasSubstr("purpose")));
}

TEST_F(TimeStampTest, RefusesASignatureOverSha1) {
  Options options;
  options.digest = EVP_sha1();

  EXPECT_THAT(StatusUnder(options), StatusIs(kUnauthenticated, HasSubstr("SHA-256")));
}

TEST_F(TimeStampTest, RefusesAStampFromBeforeOrAfterItsSignersLife) {
  EXPECT_THAT(verifier_.OpenReply(authority_.Reply(query_, now_ + absl::Hours(2)), query_),
              StatusIs(kUnauthenticated, HasSubstr("expired")));
  EXPECT_THAT(verifier_.OpenReply(authority_.Reply(query_, now_ - absl::Hours(2)), query_),
              StatusIs(kUnauthenticated, HasSubstr("not yet valid")));
}

TEST_F(TimeStampTest, HoldsFifteenYearsAfterItWasMade) {
  Options options;
  options.not_before = now_ - 16 * kYear;
  options.not_after = now_ - 14 * kYear;
  const StampingAuthorityForTest old(options);
  const absl::Time then = now_ - 15 * kYear;

  const auto stamp = VerifierOf(old).Verify(old.Token(query_.message, then), query_.message);

  ASSERT_THAT(stamp, IsOk());
  EXPECT_EQ(stamp->time, then);
}

TEST_F(TimeStampTest, TakesCertificatesBetweenSignerAndRootFromTheToken) {
  Options options;
  options.under_issuing = true;

  EXPECT_THAT(StatusUnder(options), IsOk());
}

TEST_F(TimeStampTest, RefusesATokenOverAnotherMessage) {
  EXPECT_THAT(verifier_.Verify(authority_.Token("a checkpoint", now_), "another"),
              StatusIs(kUnauthenticated, HasSubstr("imprint")));
}

TEST_F(TimeStampTest, RefusesATokenWithAnyFlippedByteOfWhatIsSigned) {
  const std::string token = authority_.Token(query_.message, now_);
  const size_t digest = token.find(Sha256(query_.message));
  ASSERT_NE(digest, std::string::npos);
  for (size_t i = digest; i < digest + kDigestSize + 20; ++i) {
    std::string changed = token;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(verifier_.Verify(changed, query_.message).ok()) << i;
  }
}

TEST_F(TimeStampTest, RefusesGarbageAndWhatFollowsAReply) {
  const std::string reply = authority_.Reply(query_, now_);
  for (const std::string& bad :
       {std::string(), std::string("<html>503</html>"), reply.substr(0, reply.size() - 1), reply + "x"}) {
    EXPECT_THAT(verifier_.OpenReply(bad, query_), StatusIs(kInvalidArgument, HasSubstr("TimeStampResp")));
  }
  const std::string token = authority_.Token(query_.message, now_);
  EXPECT_THAT(verifier_.Verify(token + "x", query_.message),
              StatusIs(kInvalidArgument, HasSubstr("TimeStampToken")));
  EXPECT_THAT(verifier_.Verify(MakeCertsOnly({}).value(), ""), StatusIs(kInvalidArgument));
}

TEST_F(TimeStampTest, RefusesMoreThan32KiB) {
  const std::string large(kMaxTimeStampBytes + 1, '0');

  EXPECT_THAT(verifier_.OpenReply(large, query_), StatusIs(kInvalidArgument, HasSubstr("32 KiB")));
  EXPECT_THAT(verifier_.Verify(large, query_.message), StatusIs(kInvalidArgument, HasSubstr("32 KiB")));
}

TEST_F(TimeStampTest, RefusesRootsThatAreNone) {
  const std::string pem = authority_.root_pem();
  std::string many;
  for (int i = 0; i < 17; ++i) many += pem;

  for (const std::string& bad : {std::string(), std::string("root"), many, authority_.issuing_pem(),
                                 absl::StrCat(pem, pem.substr(0, pem.size() / 2), "=\n-----END")}) {
    EXPECT_THAT(TimeStampVerifier::FromPem(bad).status(), StatusIs(kInvalidArgument));
  }
  EXPECT_THAT(TimeStampVerifier::FromPem(absl::StrCat("what it is\n", pem, "\n", pem)).status(), IsOk());
}

TEST_F(TimeStampTest, AsksForNothingThatCannotBeChecked) {
  EXPECT_THAT(MakeTimeStampRequest({"m", "1234567", ""}), StatusIs(kInvalidArgument, HasSubstr("nonce")));
  EXPECT_THAT(MakeTimeStampRequest({"m", query_.nonce, "sha256"}),
              StatusIs(kInvalidArgument, HasSubstr("`policy` is `sha256`")));
  EXPECT_FALSE(IsObjectIdentifier(""));
  EXPECT_FALSE(IsObjectIdentifier("1.02.3"));
  EXPECT_FALSE(IsObjectIdentifier("1.2..3"));
  EXPECT_FALSE(IsObjectIdentifier("9.2.3"));
  EXPECT_TRUE(IsObjectIdentifier("1.2.392.200091.1"));
}

TEST_F(TimeStampTest, IsWhatOpenSslsOwnToolReadsAndVerifies) {
  const testing::TempDir dir;
  const std::string request = MakeTimeStampRequest(query_).value();
  ASSERT_THAT(WriteFileAtomically(dir.File("request"), request, 0600), IsOk());
  ASSERT_THAT(WriteFileAtomically(dir.File("message"), query_.message, 0600), IsOk());
  ASSERT_THAT(WriteFileAtomically(dir.File("root"), authority_.root_pem(), 0600), IsOk());
  ASSERT_THAT(WriteFileAtomically(dir.File("reply"), authority_.Reply(query_, now_), 0600), IsOk());
  ASSERT_THAT(WriteFileAtomically(dir.File("token"), authority_.Token(query_.message, now_), 0600), IsOk());
  const std::string tool = "/usr/bin/openssl";

  EXPECT_TRUE(testing::RunProgram({tool, "ts", "-verify", "-queryfile", dir.File("request"), "-in",
                                   dir.File("reply"), "-CAfile", dir.File("root")}));
  EXPECT_TRUE(testing::RunProgram({tool, "ts", "-verify", "-data", dir.File("message"), "-in",
                                   dir.File("token"), "-token_in", "-CAfile", dir.File("root")}));
}

}  // namespace
}  // namespace tsunagi::crypto
