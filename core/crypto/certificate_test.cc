#include "core/crypto/certificate.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/crypto/digest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::crypto {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

constexpr char kUri[] = "spiffe://battery.example/participant/maker/node";
constexpr char kDns[] = "node.maker.battery.example.internal";
const absl::Time kNow = absl::FromUnixSeconds(1795219200);

PrivateKey NewKey() { return PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256); }

CertificateTemplate Ca(std::string name) {
  CertificateTemplate cert;
  cert.name = std::move(name);
  cert.not_before = kNow - absl::Hours(24);
  cert.not_after = kNow + absl::Hours(24 * 365);
  cert.is_ca = true;
  return cert;
}

CertificateTemplate Leaf() {
  CertificateTemplate cert;
  cert.name = "maker node";
  cert.uris = {kUri};
  cert.dns_names = {kDns};
  cert.ip_addresses = {"127.0.0.1", "::1"};
  cert.not_before = kNow - absl::Hours(1);
  cert.not_after = kNow + absl::Hours(24 * 7);
  cert.server_auth = true;
  cert.client_auth = true;
  return cert;
}

// root → issuing CA → leaf, as in the federation.
class CertificateTest : public testing::Test {
 protected:
  const PrivateKey root_key_ = NewKey();
  const PrivateKey ca_key_ = NewKey();
  const PrivateKey leaf_key_ = NewKey();
  const Certificate root_ =
      IssueCertificate(Ca("root"), root_key_.public_key(), root_key_, std::nullopt).value();
  const Certificate ca_ = IssueCertificate(Ca("issuing CA"), ca_key_.public_key(), root_key_, root_).value();
  const Certificate leaf_ = IssueCertificate(Leaf(), leaf_key_.public_key(), ca_key_, ca_).value();
};

TEST_F(CertificateTest, SaysWhatWasIssued) {
  EXPECT_THAT(leaf_.uris, ElementsAre(kUri));
  EXPECT_THAT(leaf_.dns_names, ElementsAre(kDns));
  EXPECT_EQ(leaf_.not_before, kNow - absl::Hours(1));
  EXPECT_EQ(leaf_.not_after, kNow + absl::Hours(24 * 7));
  EXPECT_FALSE(leaf_.is_ca);
  EXPECT_EQ(leaf_.public_key.id(), leaf_key_.id());
  EXPECT_EQ(leaf_.sha256, Sha256(leaf_.der));
  EXPECT_TRUE(ca_.is_ca);
  EXPECT_TRUE(root_.is_ca);
}

TEST_F(CertificateTest, SurvivesPem) {
  const auto one = ParseCertificatePem(ToPem(leaf_));
  const auto all = ParseCertificatesPem(absl::StrCat(ToPem(leaf_), "\n", ToPem(ca_)));

  ASSERT_THAT(one, IsOk());
  EXPECT_EQ(one->der, leaf_.der);
  ASSERT_THAT(all, IsOk());
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[1].der, ca_.der);
}

TEST_F(CertificateTest, RefusesOtherPem) {
  const std::string pem = ToPem(leaf_);

  for (const std::string& bad :
       {std::string(), std::string("x"), pem.substr(0, 200), pem + pem.substr(0, 200),
        absl::StrReplaceAll(pem, {{"CERTIFICATE", "PRIVATE KEY"}})}) {
    EXPECT_THAT(ParseCertificatesPem(bad), StatusIs(StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(ParseCertificatePem(pem + pem), StatusIs(StatusCode::kInvalidArgument, HasSubstr("several")));
}

TEST_F(CertificateTest, RefusesOtherDer) {
  for (const std::string& bad : {std::string(), std::string("x"), leaf_.der.substr(0, leaf_.der.size() - 1),
                                 leaf_.der + '\0', std::string(20000, '0')}) {
    EXPECT_THAT(ParseCertificateDer(bad), StatusIs(StatusCode::kInvalidArgument));
  }
}

TEST_F(CertificateTest, GivesTwoUrisSoThatTheGuardCanRefuse) {
  CertificateTemplate cert = Leaf();
  cert.uris.push_back("spiffe://battery.example/participant/oem/node");

  const auto issued = IssueCertificate(cert, leaf_key_.public_key(), ca_key_, ca_);

  ASSERT_THAT(issued, IsOk());
  EXPECT_THAT(issued->uris, ElementsAre(kUri, "spiffe://battery.example/participant/oem/node"));
}

TEST_F(CertificateTest, EverySerialIsItsOwn) {
  const auto again = IssueCertificate(Leaf(), leaf_key_.public_key(), ca_key_, ca_);

  EXPECT_NE(again->sha256, leaf_.sha256);
}

TEST_F(CertificateTest, IssuesForEd25519Keys) {
  const PrivateKey key = PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);

  const auto self_signed = IssueCertificate(Ca("root"), key.public_key(), key, std::nullopt);

  ASSERT_THAT(self_signed, IsOk());
  EXPECT_THAT(VerifyChain({*self_signed}, *self_signed, kNow), IsOk());
}

TEST_F(CertificateTest, RefusesToIssueNonsense) {
  const auto issue = [&](const CertificateTemplate& cert) {
    return IssueCertificate(cert, leaf_key_.public_key(), ca_key_, ca_);
  };
  CertificateTemplate reversed = Leaf();
  reversed.not_after = reversed.not_before;
  CertificateTemplate nameless = Leaf();
  nameless.name = "";
  CertificateTemplate long_name = Leaf();
  long_name.name = std::string(65, 'x');
  CertificateTemplate bad_uri = Leaf();
  bad_uri.uris = {std::string("spiffe://a\0b", 12)};
  CertificateTemplate bad_dns = Leaf();
  bad_dns.dns_names = {"a b"};
  CertificateTemplate bad_ip = Leaf();
  bad_ip.ip_addresses = {"localhost"};

  for (const CertificateTemplate& bad : {reversed, nameless, long_name, bad_uri, bad_dns, bad_ip}) {
    EXPECT_THAT(issue(bad), StatusIs(StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(IssueCertificate(Leaf(), leaf_key_.public_key(), root_key_, ca_),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("issuer's key")));
  EXPECT_THAT(IssueCertificate(Leaf(), leaf_key_.public_key(), leaf_key_, leaf_),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("not a CA")));
}

TEST_F(CertificateTest, ConfigurationTextInNamesStaysText) {
  CertificateTemplate cert = Leaf();
  cert.uris = {"spiffe://x,URI:spiffe://evil"};

  EXPECT_THAT(IssueCertificate(cert, leaf_key_.public_key(), ca_key_, ca_)->uris,
              ElementsAre("spiffe://x,URI:spiffe://evil"));
}

TEST_F(CertificateTest, TheChainLeadsToTheRoot) {
  EXPECT_THAT(VerifyChain({leaf_, ca_}, root_, kNow), IsOk());
  EXPECT_THAT(VerifyChain({leaf_, ca_, root_}, root_, kNow), IsOk());
  EXPECT_THAT(VerifyChain({ca_}, root_, kNow), IsOk());
}

TEST_F(CertificateTest, RefusesAMissingLink) {
  EXPECT_THAT(VerifyChain({leaf_}, root_, kNow), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(VerifyChain({}, root_, kNow), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(VerifyChain({leaf_, ca_}, ca_, kNow), StatusIs(StatusCode::kUnauthenticated));
}

TEST_F(CertificateTest, RefusesAnotherRootOfTheSameName) {
  const PrivateKey key = NewKey();
  const auto other = IssueCertificate(Ca("root"), key.public_key(), key, std::nullopt);

  EXPECT_THAT(VerifyChain({leaf_, ca_}, *other, kNow), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(VerifyChain({leaf_, ca_, root_}, *other, kNow), StatusIs(StatusCode::kUnauthenticated));
}

TEST_F(CertificateTest, RefusesWhatIsNotYetOrNoLongerValid) {
  EXPECT_THAT(VerifyChain({leaf_, ca_}, root_, leaf_.not_after - absl::Seconds(1)), IsOk());
  EXPECT_THAT(VerifyChain({leaf_, ca_}, root_, leaf_.not_after + absl::Seconds(1)),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("expired")));
  EXPECT_THAT(VerifyChain({leaf_, ca_}, root_, leaf_.not_before - absl::Seconds(1)),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("not yet valid")));
}

TEST_F(CertificateTest, RefusesAnExpiredIssuer) {
  CertificateTemplate cert = Ca("short CA");
  cert.not_after = kNow + absl::Hours(1);
  const auto short_ca = IssueCertificate(cert, ca_key_.public_key(), root_key_, root_);
  const auto leaf = IssueCertificate(Leaf(), leaf_key_.public_key(), ca_key_, *short_ca);

  EXPECT_THAT(VerifyChain({*leaf, *short_ca}, root_, kNow), IsOk());
  EXPECT_THAT(VerifyChain({*leaf, *short_ca}, root_, kNow + absl::Hours(2)),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("depth 1")));
}

TEST_F(CertificateTest, RefusesALeafThatPlaysCa) {
  Certificate forged_ca = leaf_;
  forged_ca.is_ca = true;  // the value lies; the bytes do not
  const PrivateKey key = NewKey();
  const auto forged = IssueCertificate(Leaf(), key.public_key(), leaf_key_, forged_ca);

  ASSERT_THAT(forged, IsOk());
  EXPECT_THAT(VerifyChain({*forged, leaf_, ca_}, root_, kNow), StatusIs(StatusCode::kUnauthenticated));
}

TEST_F(CertificateTest, RefusesAnySingleFlippedByte) {
  for (size_t i = 0; i < leaf_.der.size(); i += 3) {
    std::string der = leaf_.der;
    der[i] = static_cast<char>(der[i] ^ 1);
    const auto parsed = ParseCertificateDer(der);
    if (!parsed.ok()) continue;
    EXPECT_THAT(VerifyChain({*parsed, ca_}, root_, kNow), StatusIs(StatusCode::kUnauthenticated)) << i;
  }
}

TEST_F(CertificateTest, RefusesALongChain) {
  EXPECT_THAT(VerifyChain({leaf_, ca_, ca_, ca_, ca_}, root_, kNow),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("expected 1 to 4")));
}

TEST(CertificateRequestTest, AsksForExactlyTheseNames) {
  const PrivateKey key = NewKey();

  const auto der = MakeCertificateRequest(key, "maker node", {kUri}, {kDns});
  ASSERT_THAT(der, IsOk());
  const auto request = ParseCertificateRequest(*der);

  ASSERT_THAT(request, IsOk());
  EXPECT_THAT(request->uris, ElementsAre(kUri));
  EXPECT_THAT(request->dns_names, ElementsAre(kDns));
  EXPECT_EQ(request->public_key.id(), key.id());
}

TEST(CertificateRequestTest, MayAskForNoName) {
  const auto request = ParseCertificateRequest(MakeCertificateRequest(NewKey(), "x", {}, {}).value());

  ASSERT_THAT(request, IsOk());
  EXPECT_THAT(request->uris, IsEmpty());
}

TEST(CertificateRequestTest, ShowsSeveralUris) {
  const auto request =
      ParseCertificateRequest(MakeCertificateRequest(NewKey(), "x", {"a:1", "a:2"}, {}).value());

  EXPECT_THAT(request->uris, ElementsAre("a:1", "a:2"));
}

TEST(CertificateRequestTest, RefusesAnothersKey) {
  const PrivateKey key = NewKey();
  const PrivateKey victim = NewKey();
  const std::string der = MakeCertificateRequest(key, "x", {kUri}, {}).value();
  const std::string stolen = absl::StrReplaceAll(der, {{key.public_key().der(), victim.public_key().der()}});
  ASSERT_NE(der, stolen);

  EXPECT_THAT(ParseCertificateRequest(stolen),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("its own signature is wrong")));
}

TEST(CertificateRequestTest, RefusesAChangedName) {
  const std::string der = MakeCertificateRequest(NewKey(), "x", {kUri}, {}).value();
  const std::string changed = absl::StrReplaceAll(der, {{"/maker/", "/0ther/"}});
  ASSERT_NE(der, changed);

  EXPECT_THAT(ParseCertificateRequest(changed),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("signature")));
}

TEST(CertificateRequestTest, RefusesEd25519AndRubbish) {
  const PrivateKey ed25519 = PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  const std::string good = MakeCertificateRequest(NewKey(), "x", {kUri}, {}).value();

  EXPECT_THAT(ParseCertificateRequest(MakeCertificateRequest(ed25519, "x", {kUri}, {}).value()),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("P-256")));
  for (const std::string& bad :
       {std::string(), std::string("x"), good.substr(1), good + '\0', std::string(20000, '0')}) {
    EXPECT_THAT(ParseCertificateRequest(bad), StatusIs(StatusCode::kInvalidArgument));
  }
}

TEST_F(CertificateTest, SurvivesCertsOnly) {
  const auto der = MakeCertsOnly({leaf_, ca_});
  ASSERT_THAT(der, IsOk());
  const auto read = ParseCertsOnly(*der);

  ASSERT_THAT(read, IsOk());
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].der, leaf_.der);
  EXPECT_EQ((*read)[1].der, ca_.der);
}

TEST_F(CertificateTest, RefusesOtherPkcs7) {
  const std::string good = MakeCertsOnly({leaf_}).value();

  for (const std::string& bad : {std::string(), good.substr(0, good.size() - 1), good + '\0', leaf_.der,
                                 std::string(270000, '0'), MakeCertsOnly({}).value_or("")}) {
    EXPECT_THAT(ParseCertsOnly(bad), StatusIs(StatusCode::kInvalidArgument));
  }
}

TEST_F(CertificateTest, ReadsAsManyAsTwoHundredFiftySixAtOnce) {
  std::vector<Certificate> many(256, leaf_);
  const auto pem = [&] {
    std::string text;
    for (const Certificate& one : many) text += ToPem(one);
    return text;
  };
  EXPECT_EQ(ParseCertsOnly(MakeCertsOnly(many).value())->size(), 256u);
  EXPECT_EQ(ParseCertificatesPem(pem())->size(), 256u);

  many.push_back(leaf_);
  EXPECT_THAT(ParseCertsOnly(MakeCertsOnly(many).value()), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseCertificatesPem(pem()), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace tsunagi::crypto
