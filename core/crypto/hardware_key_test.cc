// Keys in a PKCS#11 token, with SoftHSM as the token.
#include "core/crypto/hardware_key.h"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/file.h"
#include "core/crypto/certificate.h"
#include "core/crypto/envelope.h"
#include "core/crypto/key.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/run_program.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::crypto {
namespace {

using testing::HasSubstr;
using testing::IsOk;
using testing::Not;
using testing::StatusIs;

constexpr auto kEs256 = common::v1::SIGNATURE_ALGORITHM_ES256;
constexpr char kModule[] = "/usr/lib/softhsm/libsofthsm2.so";

// A token with one P-256 key, `root`: one for all tests, since SoftHSM reads its configuration once a
// process.
class HardwareKeyTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_TRUE(std::filesystem::exists(kModule)) << "install softhsm2: ./dev setup";
    folder_ = std::make_unique<testing::TempDir>();
    std::filesystem::create_directory(folder_->File("tokens"));
    Write("conf", absl::StrCat("directories.tokendir = ", folder_->File("tokens"), "\nlog.level = ERROR\n"));
    Write("pin", "1234");
    ASSERT_EQ(::setenv("SOFTHSM2_CONF", folder_->File("conf").c_str(), 1), 0);
    ASSERT_TRUE(testing::RunProgram({"/usr/bin/softhsm2-util", "--init-token", "--free", "--label",
                                     "registrar", "--so-pin", "12345678", "--pin", "1234"}));
    ASSERT_TRUE(testing::RunProgram({"/usr/bin/pkcs11-tool", "--module", kModule, "--login", "--pin", "1234",
                                     "--keypairgen", "--key-type", "EC:prime256v1", "--label", "root", "--id",
                                     "01"}));
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static void Write(const std::string& name, const std::string& text) {
    ASSERT_THAT(WriteFileAtomically(folder_->File(name), text, 0600), IsOk());
  }
  static std::string Uri(const std::string& object = "root", const std::string& pin = "pin") {
    return absl::StrCat("pkcs11:token=registrar;object=", object, ";type=private?module-path=", kModule,
                        "&pin-source=file:", folder_->File(pin));
  }
  static absl::StatusOr<PrivateKey> Load(const std::string& text) {
    const std::string path = folder_->File("root.key");
    EXPECT_THAT(WriteFileAtomically(path, text, 0600), IsOk());
    return PrivateKey::LoadOrCreate(path, kEs256);
  }

  static std::unique_ptr<testing::TempDir> folder_;
};

std::unique_ptr<testing::TempDir> HardwareKeyTest::folder_;

// Comes first: a token that a process has logged in to asks for no PIN again.
TEST_F(HardwareKeyTest, IsNotOpenedWithAWrongPin) {
  Write("wrong-pin", "9999");
  EXPECT_THAT(Load(Uri("root", "wrong-pin")), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(HardwareKeyTest, SignsInTheTokenAndNeverLeavesIt) {
  const auto key = Load(Uri() + "\n");
  ASSERT_THAT(key, IsOk());
  EXPECT_TRUE(key->is_hardware());
  EXPECT_FALSE(PrivateKey::Generate(kEs256).is_hardware());

  const SignedEnvelope envelope = Sign(*key, "tsunagi/test/v1", "payload");
  EXPECT_THAT(Verify(envelope, "tsunagi/test/v1", key->public_key()), IsOk());

  // As a root: what it issues verifies.
  CertificateTemplate root;
  root.name = "root";
  root.not_before = absl::UnixEpoch();
  root.not_after = absl::UnixEpoch() + absl::Hours(24);
  root.is_ca = true;
  const auto certificate = IssueCertificate(root, key->public_key(), *key, std::nullopt);
  ASSERT_THAT(certificate, IsOk());
  EXPECT_THAT(VerifyChain({*certificate}, *certificate, root.not_before), IsOk());

  EXPECT_THAT(PrivateKey::LoadOrCreateForTls(folder_->File("root.key")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("expected a PEM file")));
  EXPECT_THAT(Load(Uri("other")), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no such key")));
  EXPECT_THAT(Load(absl::StrReplaceAll(Uri(), {{kModule, "/nowhere.so"}})),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("/nowhere.so")));
}

TEST(HardwareKeyUriTest, NeedsAModuleAndAPinInAFile) {
  EXPECT_TRUE(IsHardwareKey("pkcs11:token=registrar"));
  EXPECT_FALSE(IsHardwareKey("-----BEGIN PRIVATE KEY-----"));
  EXPECT_THAT(LoadHardwareKey("pkcs11:token=registrar;object=root?pin-source=file:/pin"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("module-path")));
  EXPECT_THAT(LoadHardwareKey("pkcs11:token=registrar;object=root?module-path=/m.so"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("pin-source")));
  const auto with_pin = LoadHardwareKey("pkcs11:token=registrar?module-path=/m.so&pin-value=1234");
  EXPECT_THAT(with_pin, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("pin-source")));
  EXPECT_THAT(with_pin.status().message(), Not(HasSubstr("1234")));
}

}  // namespace
}  // namespace tsunagi::crypto
