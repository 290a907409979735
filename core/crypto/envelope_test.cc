#include "core/crypto/envelope.h"

#include "tests/support/status_matchers.h"

namespace tsunagi::crypto {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

constexpr char kType[] = "tsunagi/test/v1";

TEST(PreAuthEncodingTest, EncodesAsDsseDoes) {
  // The example of the DSSE specification (protocol.md).
  EXPECT_EQ(PreAuthEncoding("http://example.com/HelloWorld", "hello world"),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  EXPECT_EQ(PreAuthEncoding("", ""), "DSSEv1 0  0 ");
}

class EnvelopeTest : public testing::TestWithParam<Algorithm> {
 protected:
  const PrivateKey key_ = PrivateKey::Generate(GetParam());
  SignedEnvelope envelope_ = Sign(key_, kType, "payload");
};

TEST_P(EnvelopeTest, VerifiesWhatWasSigned) {
  EXPECT_EQ(envelope_.key_id(), key_.id());
  EXPECT_EQ(envelope_.algorithm(), GetParam());
  EXPECT_THAT(Verify(envelope_, kType, key_.public_key()), IsOk());
}

TEST_P(EnvelopeTest, RefusesAnotherPayload) {
  envelope_.set_payload("payloae");

  EXPECT_THAT(Verify(envelope_, kType, key_.public_key()),
              StatusIs(StatusCode::kDataLoss, HasSubstr(key_.id())));
}

TEST_P(EnvelopeTest, RefusesAnotherType) {
  EXPECT_THAT(Verify(envelope_, "tsunagi/other/v1", key_.public_key()),
              StatusIs(StatusCode::kDataLoss, HasSubstr("tsunagi/other/v1")));
  envelope_.set_payload_type("tsunagi/other/v1");
  EXPECT_THAT(Verify(envelope_, "tsunagi/other/v1", key_.public_key()), StatusIs(StatusCode::kDataLoss));
}

TEST_P(EnvelopeTest, RefusesAnotherKey) {
  const PrivateKey other = PrivateKey::Generate(GetParam());

  EXPECT_THAT(Verify(envelope_, kType, other.public_key()),
              StatusIs(StatusCode::kDataLoss, HasSubstr("another key")));
  envelope_.set_key_id(other.id());
  EXPECT_THAT(Verify(envelope_, kType, other.public_key()),
              StatusIs(StatusCode::kDataLoss, HasSubstr("fit")));
}

TEST_P(EnvelopeTest, RefusesAnotherAlgorithm) {
  envelope_.set_algorithm(GetParam() == common::v1::SIGNATURE_ALGORITHM_ES256
                              ? common::v1::SIGNATURE_ALGORITHM_ED25519
                              : common::v1::SIGNATURE_ALGORITHM_ES256);

  EXPECT_THAT(Verify(envelope_, kType, key_.public_key()),
              StatusIs(StatusCode::kDataLoss, HasSubstr("another algorithm")));
}

TEST_P(EnvelopeTest, NeverShowsThePayload) {
  SignedEnvelope envelope = Sign(key_, kType, "1M8GDM9AXKP042788");
  envelope.set_signature(std::string(64, 'x'));

  EXPECT_THAT(std::string(Verify(envelope, kType, key_.public_key()).message()),
              testing::Not(HasSubstr("1M8GDM9AXKP042788")));
}

INSTANTIATE_TEST_SUITE_P(Both, EnvelopeTest,
                         testing::Values(common::v1::SIGNATURE_ALGORITHM_ES256,
                                         common::v1::SIGNATURE_ALGORITHM_ED25519),
                         [](const auto& tested) {
                           return tested.param == common::v1::SIGNATURE_ALGORITHM_ES256 ? "Es256" : "Ed25519";
                         });

}  // namespace
}  // namespace tsunagi::crypto
