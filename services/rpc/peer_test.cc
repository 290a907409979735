#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/rpc/guard.h"
#include "tests/support/fake_clock.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::rpc {
namespace {

using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TestCredential;
using testing::TestFederation;

constexpr char kUri[] = "spiffe://battery.example/participant/oem/node";
constexpr char kDns[] = "node.oem.battery.example.internal";

TEST(PeerTest, ReadsWhoAConnectionIs) {
  const testing::FakeClock clock;
  TestFederation federation(clock);
  const TestCredential credential = federation.Issue({kUri}, {kDns});

  const absl::StatusOr<Peer> peer = PeerFromCertificate(credential.leaf_pem);

  ASSERT_THAT(peer, IsOk());
  EXPECT_EQ(peer->federation, "battery.example");
  EXPECT_EQ(peer->label, "oem");
  EXPECT_EQ(peer->process, "node");
  EXPECT_EQ(peer->certificate_sha256, credential.sha256);
  EXPECT_EQ(peer->not_after, credential.not_after);
}

TEST(PeerTest, RefusesWhatIsNoCertificate) {
  EXPECT_THAT(PeerFromCertificate(""), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(PeerFromCertificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST(PeerTest, RefusesTheCertificateOfAnAuthority) {
  const testing::FakeClock clock;
  TestFederation federation(clock);

  EXPECT_THAT(PeerFromCertificate(federation.root_pem()),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("authority")));
}

struct Names {
  const char* name;
  std::vector<std::string> uris;
  std::vector<std::string> dns_names;
};

class WrongNames : public ::testing::TestWithParam<Names> {};

TEST_P(WrongNames, AreRefused) {
  const testing::FakeClock clock;
  TestFederation federation(clock);
  const TestCredential credential = federation.Issue(GetParam().uris, GetParam().dns_names);

  EXPECT_THAT(PeerFromCertificate(credential.leaf_pem),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("client certificate")));
}

INSTANTIATE_TEST_SUITE_P(
    PeerTest, WrongNames,
    ::testing::Values(Names{"NoUri", {}, {kDns}},
                      Names{"TwoUris", {kUri, "spiffe://battery.example/participant/dealer/node"}, {kDns}},
                      Names{"TheSameUriTwice", {kUri, kUri}, {kDns}}, Names{"NoDnsName", {kUri}, {}},
                      Names{"TwoDnsNames", {kUri}, {kDns, "node.dealer.battery.example.internal"}},
                      Names{"DnsNameOfAnotherParty", {kUri}, {"node.dealer.battery.example.internal"}},
                      Names{"AnotherScheme", {"https://battery.example/participant/oem/node"}, {kDns}},
                      Names{"AFifthSegment", {"spiffe://battery.example/participant/oem/node/x"}, {kDns}},
                      Names{"AnotherKindOfPath", {"spiffe://battery.example/registrar/directory"}, {kDns}},
                      Names{"ALabelInUpperCase", {"spiffe://battery.example/participant/OEM/node"}, {kDns}},
                      Names{"AnEmptyLabel", {"spiffe://battery.example/participant//node"}, {kDns}}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace tsunagi::rpc
