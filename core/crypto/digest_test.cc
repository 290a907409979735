#include "core/crypto/digest.h"

#include <thread>
#include <vector>

#include "core/base/bytes.h"
#include "gtest/gtest.h"

namespace tsunagi::crypto {
namespace {

// FIPS 180-4 examples.
TEST(Sha256Test, AgreesWithFips180) {
  EXPECT_EQ(ToHex(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(ToHex(Sha256(std::string(1000000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, ConcatenatesItsParts) {
  EXPECT_EQ(Sha256({"a", "", "bc"}), Sha256("abc"));
  EXPECT_EQ(Sha256({}), Sha256(""));
}

TEST(Sha256Test, IsIndependentAcrossThreads) {
  const Digest expected = Sha256("abc");
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);

  for (size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) wrong[t] += Sha256({"a", "bc"}) == expected ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

// RFC 4231 test cases 1 to 4, 6 and 7.
TEST(HmacTest, AgreesWithRfc4231) {
  const struct {
    std::string key;
    std::string data;
    const char* mac;
  } kCases[] = {
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {*FromHex("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The key needs "
       "to be "
       "hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };

  for (const auto& c : kCases) {
    EXPECT_EQ(ToHex(HmacSha256(c.key, {c.data})), c.mac);
    EXPECT_EQ(ToHex(HmacSha256(c.key, {c.data.substr(0, 3), c.data.substr(3)})), c.mac);
  }
}

TEST(HmacTest, AnEmptyKeyIsNotTheKeyOfTheCallBefore) {
  const Digest keyed = HmacSha256("secret", {"x"});

  const Digest empty = HmacSha256(absl::string_view(), {"x"});

  EXPECT_NE(empty, keyed);
  EXPECT_EQ(empty, HmacSha256("", {"x"}));
  EXPECT_EQ(empty, HmacSha256(absl::string_view("\0", 1), {"x"}));  // HMAC pads keys with zeros
}

TEST(ConstantTimeEqualsTest, ComparesLengthAndEveryByte) {
  EXPECT_TRUE(ConstantTimeEquals("", ""));
  EXPECT_TRUE(ConstantTimeEquals("abc", "abc"));
  EXPECT_FALSE(ConstantTimeEquals("abc", "abd"));
  EXPECT_FALSE(ConstantTimeEquals("abc", "xbc"));
  EXPECT_FALSE(ConstantTimeEquals("abc", "ab"));
  EXPECT_FALSE(ConstantTimeEquals("", "a"));
}

}  // namespace
}  // namespace tsunagi::crypto
