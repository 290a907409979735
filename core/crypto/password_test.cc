#include "core/crypto/password.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_random.h"

namespace tsunagi::crypto {
namespace {

using ::testing::StartsWith;

constexpr char kPassword[] = "correct horse battery";

TEST(PasswordTest, VerifiesThePasswordAndNoOther) {
  const std::string hash = PasswordHasher(kLeastPasswordCost).Hash(kPassword).value();

  EXPECT_TRUE(PasswordHasher::Verify(kPassword, hash));
  EXPECT_FALSE(PasswordHasher::Verify("correct horse batterz", hash));
  EXPECT_FALSE(PasswordHasher::Verify("", hash));
}

TEST(PasswordTest, SaltsEachHashAfresh) {
  const PasswordHasher hasher(kLeastPasswordCost);

  EXPECT_NE(*hasher.Hash(kPassword), *hasher.Hash(kPassword));
}

TEST(PasswordTest, WritesTheCostThatIsPromised) {
  EXPECT_THAT(*PasswordHasher().Hash(kPassword), StartsWith("$argon2id$v=19$m=65536,t=2,p=1$"));
}

TEST(PasswordTest, TellsAHashOfAnotherCost) {
  const std::string hash = PasswordHasher(kLeastPasswordCost).Hash(kPassword).value();

  EXPECT_FALSE(PasswordHasher(kLeastPasswordCost).IsOutdated(hash));
  EXPECT_TRUE(PasswordHasher({2, 8192}).IsOutdated(hash));
  EXPECT_TRUE(PasswordHasher({1, 16384}).IsOutdated(hash));
  EXPECT_TRUE(PasswordHasher({1, 16384}).IsOutdated("x"));
}

TEST(PasswordTest, MakesADecoyOfTheSameCost) {
  testing::FakeRandom random;
  const PasswordHasher hasher(kLeastPasswordCost);

  const std::string decoy = hasher.Decoy(random);

  // Whatever is not a hash of this cost would be outdated, or be refused before any hashing.
  EXPECT_FALSE(hasher.IsOutdated(decoy));
  EXPECT_EQ(decoy.size(), hasher.Hash(kPassword)->size());
  EXPECT_FALSE(PasswordHasher::Verify(kPassword, decoy));
}

TEST(PasswordTest, TakesNothingForAHashThatIsNone) {
  EXPECT_FALSE(PasswordHasher::Verify(kPassword, ""));
  EXPECT_FALSE(PasswordHasher::Verify(kPassword, "$argon2id$"));
  EXPECT_FALSE(PasswordHasher::Verify(kPassword, std::string(500, 'a')));
  EXPECT_FALSE(PasswordHasher::Verify(kPassword, *PasswordHasher(kLeastPasswordCost).Hash(kPassword) + "x"));
}

}  // namespace
}  // namespace tsunagi::crypto
