#include "identity/authority.h"

#include <sys/stat.h>

#include <set>

#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

constexpr char kName[] = "battery.example";

class AuthorityTest : public ::testing::Test {
 protected:
  absl::StatusOr<Authority> Load(absl::string_view federation = kName) {
    return LoadOrCreateAuthority(folder_.File("keys"), federation, clock_.Now());
  }

  testing::FakeClock clock_;
  testing::TempDir folder_;
};

TEST_F(AuthorityTest, EveryKeyHasOnePurposeAndDiffersFromTheOthers) {
  const Authority authority = Load().value();

  const std::set<std::string> ids = {authority.root.key.id(),      authority.issuing.key.id(),
                                     authority.directory.key.id(), authority.status.key.id(),
                                     authority.token.id(),         authority.approval.id(),
                                     authority.log.id(),           authority.witness.id()};
  EXPECT_EQ(ids.size(), 8u);
  EXPECT_THAT(authority.directory.certificate.uris,
              ElementsAre("spiffe://battery.example/registrar/directory"));
  EXPECT_THAT(authority.status.certificate.uris, ElementsAre("spiffe://battery.example/registrar/status"));
}

TEST_F(AuthorityTest, CertificatesLeadToTheRoot) {
  const Authority authority = Load().value();
  const absl::Time now = clock_.Now();

  EXPECT_THAT(crypto::VerifyChain({authority.directory.certificate}, authority.root.certificate, now),
              IsOk());
  EXPECT_THAT(crypto::VerifyChain({authority.status.certificate}, authority.root.certificate, now), IsOk());
  EXPECT_THAT(crypto::VerifyChain({authority.directory.certificate}, authority.root.certificate,
                                  now + absl::Hours(24 * 365 * 14)),
              IsOk());
}

TEST_F(AuthorityTest, IsTheSameAfterARestart) {
  const Authority first = Load().value();
  clock_.Advance(absl::Hours(24));
  const Authority second = Load().value();

  EXPECT_EQ(first.root.certificate.der, second.root.certificate.der);
  EXPECT_EQ(first.token.id(), second.token.id());
  EXPECT_EQ(first.witness.id(), second.witness.id());
}

TEST_F(AuthorityTest, KeepsKeysFromOtherUsers) {
  ASSERT_THAT(Load(), IsOk());

  struct stat info {};
  ASSERT_EQ(::stat(folder_.File("keys/root.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(folder_.File("keys").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(AuthorityTest, RefusesAFolderOfAnotherFederation) {
  ASSERT_THAT(Load(), IsOk());

  EXPECT_THAT(Load("other.example"), StatusIs(kFailedPrecondition, HasSubstr("another federation")));
}

TEST_F(AuthorityTest, RefusesACertificateOfAnotherKey) {
  ASSERT_THAT(Load(), IsOk());
  const std::string status = ReadFile(folder_.File("keys/status.crt"), 1 << 16).value();
  ASSERT_THAT(WriteFileAtomically(folder_.File("keys/directory.crt"), status, 0644), IsOk());

  EXPECT_THAT(Load(), StatusIs(kFailedPrecondition, HasSubstr("directory.crt")));
}

TEST_F(AuthorityTest, ProcessCertificatesHaveExactlyTheNamesOfTheProcess) {
  const Authority authority = Load().value();
  const auto key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);

  const auto certificate = IssueProcessCertificate(authority, {kName, "maker", "node"}, key.public_key(),
                                                   clock_.Now(), absl::Hours(168));

  ASSERT_THAT(certificate, IsOk());
  EXPECT_THAT(certificate->uris, ElementsAre("spiffe://battery.example/participant/maker/node"));
  EXPECT_THAT(certificate->dns_names, ElementsAre("node.maker.battery.example.internal"));
  EXPECT_FALSE(certificate->is_ca);
  EXPECT_EQ(certificate->not_after, clock_.Now() + absl::Hours(168));
  EXPECT_THAT(crypto::VerifyChain({*certificate, authority.issuing.certificate}, authority.root.certificate,
                                  clock_.Now()),
              IsOk());
}

TEST(NamesTest, ProcessUrisReadBackAndNothingElseDoes) {
  const auto name = ParseProcessUri(ProcessUri("node", "maker", kName));
  ASSERT_THAT(name, IsOk());
  EXPECT_EQ(name->label, "maker");
  EXPECT_EQ(name->process, "node");
  EXPECT_EQ(name->federation, kName);

  for (const char* wrong :
       {"", "spiffe://battery.example/participant/maker", "spiffe://battery.example/participant/maker/node/x",
        "https://battery.example/participant/maker/node", "spiffe://battery.example/registrar/directory",
        "spiffe://battery.example/participant/Maker/node", "spiffe://battery.example/participant/maker/root",
        "spiffe://battery.example/participant//node", "spiffe://battery example/participant/maker/node",
        "spiffe://localhost/participant/maker/node"}) {
    EXPECT_THAT(ParseProcessUri(wrong), StatusIs(kInvalidArgument)) << wrong;
  }
}

TEST(NamesTest, LogOriginsReadBackWithinTheirFederationOnly) {
  const auto name = ParseLogOrigin(LogOrigin("node", "maker", kName), kName);
  ASSERT_THAT(name, IsOk());
  EXPECT_EQ(name->label, "maker");

  for (const char* wrong : {"maker.other.example/node", "maker.battery.example", "battery.example/node",
                            "maker.battery.example/node/x", "maker.battery.example/root"}) {
    EXPECT_THAT(ParseLogOrigin(wrong, kName), StatusIs(kInvalidArgument)) << wrong;
  }
}

}  // namespace
}  // namespace tsunagi::identity
