#include "services/identity/status_watches.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "gtest/gtest.h"
#include "identity/registrar_for_test.h"
#include "services/identity/service.h"
#include "services/rpc/status.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tls_server.h"
#include "tsunagi/identity/v1/identity_service.grpc.pb.h"

namespace tsunagi::identity {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using tsunagi::testing::TestCredential;
using enum absl::StatusCode;

constexpr int kManyChanges = 101;

// The one method, with limits of the test's.
class WatchService final : public v1::IdentityService::CallbackService {
 public:
  explicit WatchService(StatusWatches& watches) : watches_(watches) {}
  grpc::ServerWriteReactor<v1::WatchStatusListResponse>* WatchStatusList(
      grpc::CallbackServerContext* context, const v1::WatchStatusListRequest*) override {
    return watches_.Open(context);
  }

 private:
  StatusWatches& watches_;
};

// A watch as a caller sees it.
class Watcher {
 public:
  // `token` is for a channel that does not carry one.
  explicit Watcher(const std::shared_ptr<grpc::Channel>& channel, const std::string& token = "")
      : stub_(v1::IdentityService::NewStub(channel)) {
    if (!token.empty()) context_.AddMetadata("authorization", "Bearer " + token);
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    reader_ = stub_->WatchStatusList(&context_, v1::WatchStatusListRequest());
  }
  ~Watcher() {
    context_.TryCancel();
    End().IgnoreError();
  }
  // The next list; the status of the end after it.
  absl::StatusOr<v1::StatusList> Next() {
    v1::WatchStatusListResponse response;
    if (!reader_->Read(&response)) return End();
    v1::StatusList list;
    list.ParseFromString(response.status_list().status_list().payload());
    return list;
  }
  void Cancel() { context_.TryCancel(); }

 private:
  absl::Status End() {
    if (!ended_) end_ = rpc::FromGrpcStatus(reader_->Finish());
    ended_ = true;
    return end_;
  }

  const std::unique_ptr<v1::IdentityService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchStatusListResponse>> reader_;
  bool ended_ = false;
  absl::Status end_;
};

// The lists are a registrar's; who may watch them is decided in a federation whose clock is the machine's,
// for TLS.
class StatusWatchesTest : public ::testing::Test {
 protected:
  StatusWatchesTest() {
    for (const char* label : {"dealer", "oem"}) federation_.Add(label);
    registrar_.Register("maker");
  }
  void SetUp() override { ASSERT_THAT(server_.Start(guard_, {&service_}), IsOk()); }

  std::unique_ptr<Watcher> Watch(const std::string& label, const TestCredential& credential,
                                 absl::Duration token_life = absl::Hours(24)) {
    return std::make_unique<Watcher>(
        server_.Channel(credential, federation_.Token(label, credential, token_life)));
  }
  // One whose stream takes a few lists only, as long as nobody reads.
  std::unique_ptr<Watcher> WatchThroughASmallWindow() {
    grpc::experimental::TlsChannelCredentialsOptions options;
    options.set_certificate_provider(std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
        federation_.root_pem(),
        std::vector<grpc::experimental::IdentityKeyCertPair>{{dealer_.key_pem, dealer_.chain_pem}}));
    options.watch_root_certs();
    options.watch_identity_key_cert_pairs();
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("registrar.registrar.battery.example.internal");
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 2048);
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    return std::make_unique<Watcher>(
        grpc::CreateCustomChannel(server_.address(), grpc::experimental::TlsCredentials(options), arguments),
        federation_.Token("dealer", dealer_));
  }
  std::unique_ptr<Watcher> Watch() { return Watch("dealer", dealer_); }
  void SetSuspended(bool suspended) { ASSERT_THAT(registrar_.SetSuspended("maker", suspended), IsOk()); }

  RegistrarForTest registrar_{absl::Now()};
  tsunagi::testing::FakeClock clock_{absl::Now()};
  tsunagi::testing::TestFederation federation_{clock_};
  rpc::Guard guard_{{.own_label = "registrar", .federation = "battery.example"},
                    IdentityRows(),
                    federation_.tokens(),
                    federation_.trust(),
                    clock_};
  StatusWatches watches_{guard_, registrar_.registrar->lists(), {.per_certificate = 2, .all = 3}};
  WatchService service_{watches_};
  tsunagi::testing::TlsServer server_{federation_, "registrar", "registrar"};
  const TestCredential dealer_ = federation_.Enrol("dealer", "node");
  const TestCredential oem_ = federation_.Enrol("oem", "node");
};

TEST_F(StatusWatchesTest, SendTheListAtOnceAndEachChange) {
  const auto watch = Watch();

  const auto first = watch->Next();
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->suspended_size(), 0);
  SetSuspended(true);
  const auto second = watch->Next();
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(second->suspended(), Contains(RegistrarForTest::DidOf("maker")));
  EXPECT_GT(second->version(), first->version());
  SetSuspended(false);
  const auto third = watch->Next();
  ASSERT_THAT(third, IsOk());
  EXPECT_EQ(third->suspended_size(), 0);
}

TEST_F(StatusWatchesTest, SendNothingWhenTheSameIsSignedAnew) {
  const auto watch = Watch();
  ASSERT_THAT(watch->Next(), IsOk());

  for (int i = 0; i < 3; ++i) {
    registrar_.clock.Advance(absl::Seconds(6));
    (void)registrar_.StatusList();
  }
  SetSuspended(true);

  EXPECT_EQ(watch->Next()->suspended_size(), 1);
}

TEST_F(StatusWatchesTest, GiveASlowReaderTheNewestAndNoQueue) {
  const auto watch = WatchThroughASmallWindow();
  ASSERT_THAT(watch->Next(), IsOk());

  for (int i = 0; i < kManyChanges; ++i) SetSuspended(i % 2 == 0);
  v1::StatusList newest;
  newest.ParseFromString(registrar_.StatusList().status_list().payload());
  int messages = 0;
  uint64_t version = 0;
  while (version < newest.version()) {
    const auto list = watch->Next();
    ASSERT_THAT(list, IsOk());
    EXPECT_GT(list->version(), version);
    version = list->version();
    ++messages;
  }

  // As many as fit into the window, and one.
  EXPECT_LT(messages, 20);
}

TEST_F(StatusWatchesTest, AreBoundedPerCertificateAndInAll) {
  const auto first = Watch();
  auto second = Watch();
  ASSERT_THAT(first->Next(), IsOk());
  ASSERT_THAT(second->Next(), IsOk());

  EXPECT_THAT(Watch()->Next(), StatusIs(kResourceExhausted));
  const auto other = Watch("oem", oem_);
  EXPECT_THAT(other->Next(), IsOk());
  EXPECT_THAT(Watch("oem", oem_)->Next(), StatusIs(kResourceExhausted));

  second.reset();
  absl::StatusOr<v1::StatusList> again;
  const absl::Time limit = absl::Now() + absl::Seconds(20);
  do again = Watch()->Next();
  while (!again.ok() && absl::Now() < limit);
  EXPECT_THAT(again, IsOk());
}

TEST_F(StatusWatchesTest, EndForWhoIsSuspendedBeforeItSeesTheList) {
  const auto watch = Watch();
  const auto other = Watch("oem", oem_);
  ASSERT_THAT(watch->Next(), IsOk());
  ASSERT_THAT(other->Next(), IsOk());

  ASSERT_THAT(federation_.Suspend("dealer"), IsOk());
  SetSuspended(true);

  EXPECT_THAT(watch->Next(), StatusIs(kPermissionDenied));
  EXPECT_THAT(other->Next(), IsOk());
}

TEST_F(StatusWatchesTest, EndWithTheToken) {
  const auto watch = Watch("dealer", dealer_, absl::Minutes(5));
  ASSERT_THAT(watch->Next(), IsOk());

  clock_.Advance(absl::Minutes(7));
  SetSuspended(true);

  EXPECT_THAT(watch->Next(), StatusIs(kUnauthenticated));
}

TEST_F(StatusWatchesTest, EndWithTheCertificate) {
  const TestCredential short_lived = federation_.Enrol("dealer", "node", absl::Minutes(5));
  const auto watch = Watch("dealer", short_lived);
  ASSERT_THAT(watch->Next(), IsOk());

  clock_.Advance(absl::Minutes(7));
  SetSuspended(true);

  EXPECT_THAT(watch->Next(), StatusIs(kUnauthenticated));
}

TEST_F(StatusWatchesTest, EndAtOnceAtADrainEvenWhenNobodyReads) {
  const auto slow = WatchThroughASmallWindow();
  ASSERT_THAT(slow->Next(), IsOk());
  for (int i = 0; i < kManyChanges; ++i) SetSuspended(i % 2 == 0);
  const auto watch = Watch("oem", oem_);
  ASSERT_THAT(watch->Next(), IsOk());

  watches_.End();

  // What was on its way may still come; what is just being sent is cut off.
  auto last = watch->Next();
  while (last.ok()) last = watch->Next();
  EXPECT_THAT(last, AnyOf(StatusIs(kUnavailable), StatusIs(kCancelled)));
  EXPECT_THAT(Watch("oem", oem_)->Next(), StatusIs(kUnavailable));
  // The drain would cancel what is left after a minute: the test would be too slow.
  server_.server().Drain(absl::Minutes(1));
}

}  // namespace
}  // namespace tsunagi::identity
