// The follower against edges on loopback.
#include "services/identity/federation_follower.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/bytes.h"
#include "core/base/mutex.h"
#include "core/base/proto.h"
#include "core/crypto/certificate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/registrar_for_test.h"
#include "services/http/est_client.h"
#include "services/http/server.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::HasSubstr;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using tsunagi::testing::TestFederation;
using enum absl::StatusCode;

// An edge that answers what the test says, with a certificate that nobody knows.
class Edge {
 public:
  Edge() {
    const auto key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
    crypto::CertificateTemplate names;
    names.name = "edge";
    names.not_before = absl::Now() - absl::Hours(1);
    names.not_after = absl::Now() + absl::Hours(1);
    names.server_auth = true;
    names.ip_addresses = {"127.0.0.1"};
    http::HttpsServerOptions options;
    options.listen = "127.0.0.1:0";
    options.key_pem = key.ToPem();
    options.certificate_pem =
        crypto::ToPem(crypto::IssueCertificate(names, key.public_key(), key, std::nullopt).value());
    server_ = http::HttpsServer::Start(options, [this](const http::HttpRequest& request) {
                return Answer(request);
              }).value();
  }

  std::string url(absl::string_view scheme = "https") const {
    return absl::StrCat(scheme, "://127.0.0.1:", server_->port());
  }
  void Serve(absl::string_view path, http::HttpResponse response) {
    MutexLock lock(mutex_);
    documents_[std::string(path)] = std::move(response);
  }
  void Serve(absl::string_view path, std::string bytes) {
    Serve(path, http::HttpResponse{200, "application/octet-stream", std::move(bytes), {}});
  }
  void Publish(TestFederation& federation) {
    Serve(http::kTrustBundlePath, Encode(federation.MakeBundle()));
    Serve(http::kRosterPath, Encode(federation.MakeRoster()));
  }

 private:
  http::HttpResponse Answer(const http::HttpRequest& request) {
    MutexLock lock(mutex_);
    const auto found = documents_.find(request.target);
    return found == documents_.end() ? http::HttpResponse{404, "text/plain", "", {}} : found->second;
  }

  Mutex mutex_;
  std::map<std::string, http::HttpResponse> documents_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<http::HttpsServer> server_;
};

http::EgressOptions Egress() {
  http::EgressOptions options;
  options.any_server = true;
  options.allowed_addresses = {"127.0.0.1"};
  return options;
}

class FederationFollowerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    other_.Add("dealer", {"dealer"});
    edge_.Publish(other_);
  }

  absl::Status Trust(TestFederation& federation, const std::string& url) {
    v1::TrustFederationRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_federation(federation.name());
    request.set_bundle(Encode(federation.MakeBundle()));
    request.set_root_sha256(ToHex(federation.root().sha256));
    request.set_url(url);
    request.add_did_hosts(federation.name());
    request.set_reason("agreement");
    return WaitFor<v1::TrustFederationResponse>([&](auto done) {
             registrar_.registrar->federations().Trust(RegistrarForTest::Operator(), request,
                                                       std::move(done));
           })
        .status();
  }
  std::shared_ptr<const TrustedFederation> Known(const std::string& name) {
    return registrar_.registrar->trust().View()->FindFederation(name).value();
  }

  RegistrarForTest registrar_;
  TestFederation other_{registrar_.clock, "other.example"};
  Edge edge_;
  FederationFollower follower_{*registrar_.registrar, Egress()};
};

TEST_F(FederationFollowerTest, TakesBundleAndRosterOver) {
  ASSERT_THAT(Trust(other_, edge_.url()), IsOk());
  edge_.Publish(other_);

  follower_.Run();

  EXPECT_EQ(Known("other.example")->bundle->version, 3);
  ASSERT_NE(Known("other.example")->roster, nullptr);
  EXPECT_TRUE(Known("other.example")->roster->by_label.contains("dealer"));
}

TEST_F(FederationFollowerTest, GoesOnWhenOneEdgeIsAway) {
  TestFederation away(registrar_.clock, "away.example");
  ASSERT_THAT(Trust(away, "https://127.0.0.1:1"), IsOk());
  ASSERT_THAT(Trust(other_, edge_.url()), IsOk());

  follower_.Run();

  EXPECT_EQ(Known("away.example")->roster, nullptr);
  EXPECT_NE(Known("other.example")->roster, nullptr);
}

TEST_F(FederationFollowerTest, TakesTheRosterWhenTheBundleCannotBeTaken) {
  ASSERT_THAT(Trust(other_, edge_.url()), IsOk());
  edge_.Serve(http::kTrustBundlePath, "no bundle");

  EXPECT_THAT(follower_.Follow("other.example", edge_.url()), StatusIs(kInvalidArgument));

  EXPECT_NE(Known("other.example")->roster, nullptr);
}

TEST_F(FederationFollowerTest, LeavesRevokedFederationsAlone) {
  ASSERT_THAT(Trust(other_, edge_.url()), IsOk());
  v1::RevokeFederationRequest request;
  request.set_request_id(NewUuid(registrar_.random));
  request.set_federation("other.example");
  request.set_reason("over");
  ASSERT_THAT(WaitFor<v1::RevokeFederationResponse>([&](auto done) {
                registrar_.registrar->federations().Revoke(RegistrarForTest::Operator(), request,
                                                           std::move(done));
              }),
              IsOk());

  EXPECT_THAT(follower_.Follow("other.example", edge_.url()), StatusIs(kNotFound));
  EXPECT_EQ(registrar_.registrar->trust().View()->federations->by_name.at("other.example")->roster, nullptr);
}

TEST_F(FederationFollowerTest, FetchesOverHttpsFromPublicAddressesOnly) {
  EXPECT_THAT(follower_.FetchBundle(edge_.url()), IsOk());
  EXPECT_THAT(follower_.FetchBundle(edge_.url("http")), StatusIs(kInvalidArgument));

  http::EgressOptions strict = Egress();
  strict.allowed_addresses.clear();
  const FederationFollower careful(*registrar_.registrar, strict);
  EXPECT_THAT(careful.FetchBundle(edge_.url()), StatusIs(kPermissionDenied, HasSubstr("not public")));
}

TEST_F(FederationFollowerTest, FollowsNoRedirectAndTakesAtMostOneMebibyte) {
  edge_.Serve(
      http::kTrustBundlePath,
      http::HttpResponse{302, "text/plain", "", {{"location", absl::StrCat(edge_.url(), "/elsewhere")}}});
  edge_.Serve("/elsewhere", Encode(other_.MakeBundle()));
  EXPECT_THAT(follower_.FetchBundle(edge_.url()), StatusIs(kFailedPrecondition, HasSubstr("redirect")));

  edge_.Serve(http::kTrustBundlePath, std::string((1 << 20) + 1, 'x'));
  EXPECT_THAT(follower_.FetchBundle(edge_.url()), StatusIs(kUnavailable));
}

}  // namespace
}  // namespace tsunagi::identity
