#include "core/crypto/key.h"

#include <sys/stat.h>

#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::crypto {
namespace {

using absl::StatusCode;
using common::v1::SIGNATURE_ALGORITHM_ED25519;
using common::v1::SIGNATURE_ALGORITHM_ES256;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

constexpr char kP256Prefix[] = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";
constexpr char kOrder[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

// RFC 6979 appendix A.2.5: the key, and its signatures with SHA-256 over "sample" and "test".
constexpr char kX[] = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
constexpr char kY[] = "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
constexpr char kSampleR[] = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
constexpr char kSampleS[] = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
constexpr char kTestR[] = "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367";
constexpr char kTestS[] = "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083";

std::string Unhex(absl::string_view hex) { return FromHex(hex).value(); }

PublicKey Rfc6979Key() { return PublicKey::FromDer(Unhex(absl::StrCat(kP256Prefix, kX, kY))).value(); }

TEST(Es256Test, VerifiesTheSignaturesOfRfc6979) {
  const PublicKey key = Rfc6979Key();

  EXPECT_EQ(key.algorithm(), SIGNATURE_ALGORITHM_ES256);
  EXPECT_TRUE(key.Verify("sample", Unhex(absl::StrCat(kSampleR, kSampleS))));
  EXPECT_TRUE(key.Verify("test", Unhex(absl::StrCat(kTestR, kTestS))));
  EXPECT_FALSE(key.Verify("test", Unhex(absl::StrCat(kSampleR, kSampleS))));
}

TEST(Es256Test, RefusesBoundaryValuesOfRAndS) {
  const PublicKey key = Rfc6979Key();
  const std::string zero(64, '0');
  const std::string ones(64, 'f');

  for (const std::string& bad :
       {absl::StrCat(zero, zero), absl::StrCat(zero, kSampleS), absl::StrCat(kSampleR, zero),
        absl::StrCat(kOrder, kSampleS), absl::StrCat(kSampleR, kOrder), absl::StrCat(ones, ones),
        absl::StrCat(kSampleS, kSampleR)}) {
    EXPECT_FALSE(key.Verify("sample", Unhex(bad))) << bad;
  }
}

TEST(Es256Test, RefusesOtherLengthsAndDer) {
  const PublicKey key = Rfc6979Key();
  const std::string good = Unhex(absl::StrCat(kSampleR, kSampleS));
  const std::string der = Unhex(absl::StrCat("3046022100", kSampleR, "022100", kSampleS));

  for (const std::string& bad : {std::string(), good.substr(0, 63), good + '\0', good + good, der}) {
    EXPECT_FALSE(key.Verify("sample", bad));
  }
}

TEST(Es256Test, RefusesEverySingleFlippedBit) {
  const PublicKey key = Rfc6979Key();
  const std::string good = Unhex(absl::StrCat(kSampleR, kSampleS));

  for (size_t bit = 0; bit < good.size() * 8; bit += 7) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(key.Verify("sample", bad)) << bit;
  }
}

// RFC 8032 section 7.1, tests 1 to 3.
struct Ed25519Vector {
  const char* secret;
  const char* key;
  const char* message;
  const char* signature;
};
constexpr Ed25519Vector kRfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
     "d25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
     "387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
     "4a7c15e9716ed28dc027beceea1ec40a"},
};

// PKCS#8 of an Ed25519 seed (RFC 8410).
std::string Ed25519Pem(absl::string_view secret_hex) {
  return absl::StrCat("-----BEGIN PRIVATE KEY-----\n",
                      ToBase64(Unhex(absl::StrCat("302e020100300506032b657004220420", secret_hex))),
                      "\n-----END PRIVATE KEY-----\n");
}

TEST(Ed25519Test, AgreesWithRfc8032) {
  for (const Ed25519Vector& vector : kRfc8032) {
    const auto key = PrivateKey::FromPem(Ed25519Pem(vector.secret));
    ASSERT_THAT(key, IsOk());

    EXPECT_EQ(ToHex(key->public_key().Ed25519Raw()), vector.key);
    EXPECT_EQ(ToHex(key->Sign(Unhex(vector.message))), vector.signature);
    EXPECT_TRUE(
        PublicKey::FromEd25519(Unhex(vector.key))->Verify(Unhex(vector.message), Unhex(vector.signature)));
  }
}

TEST(Ed25519Test, RefusesASignatureWithSPlusTheOrder) {
  // RFC 8032 section 5.1.7: S of the first vector plus the group order names the same point but is no
  // signature.
  const PublicKey key = PublicKey::FromEd25519(Unhex(kRfc8032[0].key)).value();
  std::string signature = Unhex(kRfc8032[0].signature);
  const std::string order = Unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");

  int carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    const int sum =
        static_cast<unsigned char>(signature[32 + i]) + static_cast<unsigned char>(order[i]) + carry;
    signature[32 + i] = static_cast<char>(sum & 0xFF);
    carry = sum >> 8;
  }

  ASSERT_EQ(carry, 0);
  EXPECT_FALSE(key.Verify("", signature));
}

TEST(PublicKeyTest, GivesItsPartsAndId) {
  const PublicKey key = Rfc6979Key();

  EXPECT_EQ(ToHex(key.P256Point()), absl::StrCat(kX, kY));
  EXPECT_EQ(key.id().size(), 32u);
  EXPECT_EQ(PublicKey::FromDer(key.der())->id(), key.id());
  EXPECT_NE(PublicKey::FromEd25519(Unhex(kRfc8032[0].key))->id(), key.id());
}

TEST(PublicKeyTest, RefusesEveryOtherForm) {
  const std::string good = Unhex(absl::StrCat(kP256Prefix, kX, kY));
  const std::string off_curve = Unhex(absl::StrCat(kP256Prefix, kX, kX));
  const std::string compressed =
      Unhex(absl::StrCat("3039301306072a8648ce3d020106082a8648ce3d030107032200", "03", kX));
  const std::string p384 =
      Unhex("3076301006072a8648ce3d020106052b8104002203620004") + std::string(96, '\x01');
  const std::string ed448 = Unhex("3043300506032b6571033a00") + std::string(57, '\x01');

  for (const std::string& bad : {std::string(), good.substr(1), good + '\0', off_curve, compressed, p384,
                                 ed448, std::string(91, '\0')}) {
    EXPECT_THAT(PublicKey::FromDer(bad), StatusIs(StatusCode::kInvalidArgument, HasSubstr("P-256")));
  }
  EXPECT_THAT(PublicKey::FromEd25519(std::string(31, 'x')), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(PublicKey::FromEd25519(std::string(33, 'x')), StatusIs(StatusCode::kInvalidArgument));
}

class AlgorithmTest : public testing::TestWithParam<Algorithm> {};

TEST_P(AlgorithmTest, SignsWhatItsPublicKeyVerifies) {
  const PrivateKey key = PrivateKey::Generate(GetParam());

  const std::string signature = key.Sign("message");

  EXPECT_EQ(key.algorithm(), GetParam());
  EXPECT_EQ(signature.size(), 64u);
  EXPECT_TRUE(key.public_key().Verify("message", signature));
  EXPECT_FALSE(key.public_key().Verify("other", signature));
  EXPECT_FALSE(PrivateKey::Generate(GetParam()).public_key().Verify("message", signature));
}

TEST_P(AlgorithmTest, SurvivesPem) {
  const PrivateKey key = PrivateKey::Generate(GetParam());

  const auto read = PrivateKey::FromPem(key.ToPem());

  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->id(), key.id());
  EXPECT_TRUE(key.public_key().Verify("message", read->Sign("message")));
}

TEST_P(AlgorithmTest, IsCreatedOnceAndLoadedAfterwards) {
  const testing::TempDir dir;

  const auto created = PrivateKey::LoadOrCreate(dir.File("key.pem"), GetParam());
  const auto loaded = PrivateKey::LoadOrCreate(dir.File("key.pem"), GetParam());

  ASSERT_THAT(created, IsOk());
  ASSERT_THAT(loaded, IsOk());
  EXPECT_EQ(created->id(), loaded->id());
  struct stat info;
  ASSERT_EQ(::stat(dir.File("key.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

INSTANTIATE_TEST_SUITE_P(Both, AlgorithmTest,
                         testing::Values(SIGNATURE_ALGORITHM_ES256, SIGNATURE_ALGORITHM_ED25519),
                         [](const auto& tested) {
                           return tested.param == SIGNATURE_ALGORITHM_ES256 ? "Es256" : "Ed25519";
                         });

TEST(PrivateKeyTest, SignaturesOfManyKeysKeepTheirLength) {
  // r and s with leading zero bytes must be padded: about 1 of 128 signatures has one.
  const PrivateKey key = PrivateKey::Generate(SIGNATURE_ALGORITHM_ES256);

  for (int i = 0; i < 400; ++i) {
    const std::string message = std::to_string(i);
    const std::string signature = key.Sign(message);
    ASSERT_EQ(signature.size(), 64u);
    ASSERT_TRUE(key.public_key().Verify(message, signature));
  }
}

TEST(PrivateKeyTest, RefusesEverythingButPlainPkcs8) {
  const std::string pem = PrivateKey::Generate(SIGNATURE_ALGORITHM_ES256).ToPem();
  const std::string encrypted =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIBAA==\n-----END ENCRYPTED PRIVATE KEY-----\n";

  for (const std::string& bad : {std::string(), std::string("secret"), encrypted,
                                 pem.substr(0, pem.size() / 2), "\n" + pem, Ed25519Pem("00")}) {
    EXPECT_THAT(PrivateKey::FromPem(bad), StatusIs(StatusCode::kInvalidArgument));
  }
}

TEST(PrivateKeyTest, ErrorsNeverShowTheKey) {
  const auto key =
      PrivateKey::FromPem("-----BEGIN PRIVATE KEY-----\nsecretsecret\n-----END PRIVATE KEY-----\n");

  EXPECT_THAT(std::string(key.status().message()), testing::Not(HasSubstr("secretsecret")));
}

TEST(PrivateKeyTest, RefusesAFileThatOthersCanRead) {
  const testing::TempDir dir;
  ASSERT_THAT(PrivateKey::LoadOrCreate(dir.File("k"), SIGNATURE_ALGORITHM_ES256), IsOk());
  ASSERT_EQ(::chmod(dir.File("k").c_str(), 0644), 0);

  EXPECT_THAT(PrivateKey::LoadOrCreate(dir.File("k"), SIGNATURE_ALGORITHM_ES256),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("chmod 600")));
}

TEST(PrivateKeyTest, NeverReplacesAFileThatIsNoKeyOfThisAlgorithm) {
  const testing::TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("junk"), "junk", 0600), IsOk());
  ASSERT_THAT(PrivateKey::LoadOrCreate(dir.File("ed"), SIGNATURE_ALGORITHM_ED25519), IsOk());

  EXPECT_THAT(PrivateKey::LoadOrCreate(dir.File("junk"), SIGNATURE_ALGORITHM_ES256),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr(dir.File("junk"))));
  EXPECT_THAT(PrivateKey::LoadOrCreate(dir.File("ed"), SIGNATURE_ALGORITHM_ES256),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("another algorithm")));
  EXPECT_EQ(*ReadFile(dir.File("junk"), 10), "junk");
}

TEST(PrivateKeyTest, OfManyWhoCreateItAtOnceAllGetTheSame) {
  const testing::TempDir dir;
  std::vector<std::string> ids(8);
  std::vector<std::thread> threads;

  for (std::string& id : ids) {
    threads.emplace_back(
        [&] { id = PrivateKey::LoadOrCreate(dir.File("k"), SIGNATURE_ALGORITHM_ES256)->id(); });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(ids, std::vector<std::string>(8, ids[0]));
}

}  // namespace
}  // namespace tsunagi::crypto
