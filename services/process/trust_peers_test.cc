#include "services/process/trust_peers.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/process/trust_service.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tls_server.h"

namespace tsunagi::process {
namespace {

using identity::v1::GetTrustListsRequest;
using identity::v1::GetTrustListsResponse;
using identity::v1::SignedStatusList;
using testing::IsOk;
using testing::StatusIs;
using testing::TestCredential;
using testing::TestFederation;

void AddEndpoint(const std::string& process, identity::v1::Participant& participant) {
  identity::v1::Endpoint& endpoint = *participant.add_endpoints();
  endpoint.set_process(process);
  endpoint.set_address("127.0.0.1:1");
}

class ChooseTrustPeersTest : public ::testing::Test {
 protected:
  ChooseTrustPeersTest() {
    AddEndpoint("connector", federation_.Add("oem"));
    AddEndpoint("catalog", federation_.Entry("oem"));
    AddEndpoint("registrar", federation_.registrar());
    for (const char* label : {"maker", "dealer", "workshop", "recycler"}) {
      AddEndpoint("node", federation_.Add(label));
    }
    federation_.Add("newcomer");
    federation_.Publish().IgnoreError();
  }

  // Everybody that is chosen in a hundred draws.
  std::set<std::string> ChosenIn(int draws) {
    std::set<std::string> chosen;
    for (int draw = 0; draw < draws; ++draw) {
      for (const TrustPeer& peer : ChooseTrustPeers(*federation_.trust().View(), own_, random_)) {
        chosen.insert(peer.participant + "/" + peer.process);
      }
    }
    return chosen;
  }

  testing::FakeClock clock_;
  testing::FakeRandom random_;
  TestFederation federation_{clock_};
  const TrustPeer own_ = {"oem", "connector"};
};

TEST_F(ChooseTrustPeersTest, AsksAnotherOwnProcessFirstAndThenOtherParticipantsOnceEach) {
  for (int draw = 0; draw < 20; ++draw) {
    const std::vector<TrustPeer> peers = ChooseTrustPeers(*federation_.trust().View(), own_, random_);

    ASSERT_EQ(peers.size(), kMaxTrustPeers);
    EXPECT_EQ(peers[0].participant + "/" + peers[0].process, "oem/catalog");
    EXPECT_NE(peers[1].participant, peers[2].participant);
  }
}

TEST_F(ChooseTrustPeersTest, ComesToEveryoneButItselfAndTheRegistrar) {
  EXPECT_EQ(ChosenIn(100), (std::set<std::string>{"oem/catalog", "maker/node", "dealer/node", "workshop/node",
                                                  "recycler/node"}));
}

TEST_F(ChooseTrustPeersTest, DoesNotAskTheSuspended) {
  ASSERT_THAT(federation_.Suspend("maker"), IsOk());

  EXPECT_FALSE(ChosenIn(100).contains("maker/node"));
}

TEST_F(ChooseTrustPeersTest, AsksNobodyWhenItKnowsNobody) {
  EXPECT_TRUE(ChooseTrustPeers(identity::TrustView(), own_, random_).empty());
}

// Says what it is told to.
class SayingService final : public identity::v1::TrustService::CallbackService {
 public:
  explicit SayingService(rpc::Guard& guard) : guard_(guard) {}

  grpc::ServerUnaryReactor* GetTrustLists(grpc::CallbackServerContext* context, const GetTrustListsRequest*,
                                          GetTrustListsResponse* response) override {
    return guard_.Serve(context, [=, this](const Caller&, const rpc::Finish& finish) {
      *response = lists;
      finish(absl::OkStatus());
    });
  }

  GetTrustListsResponse lists;

 private:
  rpc::Guard& guard_;
};

// A node of `oem` that the registrar's lists do not reach, an honest one of `maker` and one of `dealer` that
// says anything. Issued lists are a day and an hour old at first.
class AskTrustPeersTest : public ::testing::Test {
 protected:
  AskTrustPeersTest() {
    for (const char* label : {"oem", "maker", "dealer", "workshop"}) federation_.Add(label);
    old_list_ = federation_.MakeStatusList();
    clock_.Advance(absl::Hours(25));
    federation_.PublishStatus().IgnoreError();
  }
  void SetUp() override {
    ASSERT_THAT(keeper_.TakeDirectory(federation_.MakeDirectory()), IsOk());
    ASSERT_THAT(maker_server_.Start(guard_, {&maker_service_}), IsOk());
    ASSERT_THAT(dealer_server_.Start(guard_, {&dealer_service_}), IsOk());
  }

  absl::Status Ask(const std::vector<std::string>& participants) {
    std::vector<TrustPeer> peers;
    for (const std::string& participant : participants) peers.push_back({participant, "node"});
    const std::string token = federation_.Token("oem", credential_);
    return AskTrustPeers(
        peers,
        [&](const TrustPeer& peer) -> absl::StatusOr<std::shared_ptr<grpc::Channel>> {
          if (peer.participant == "maker") return maker_server_.Channel(credential_, token);
          if (peer.participant == "dealer") return dealer_server_.Channel(credential_, token);
          return absl::NotFoundError("lists no such process");
        },
        *trust_.View(), keeper_);
  }
  bool Suspended(const std::string& label) const {
    return trust_.View()->IsSuspended(federation_.DidOf(label));
  }
  // A list that says that `workshop` is suspended.
  static SignedStatusList WithSuspension(TestFederation& federation) {
    federation.Suspend("workshop").IgnoreError();
    return federation.MakeStatusList();
  }

  testing::FakeClock clock_{absl::Now() - absl::Hours(25)};
  TestFederation federation_{clock_};
  SignedStatusList old_list_;
  rpc::Guard guard_{{.own_label = "maker", .federation = "battery.example"},
                    TrustRows(),
                    federation_.tokens(),
                    federation_.trust(),
                    clock_};
  const testing::TempDir maker_dir_;
  identity::TrustStore maker_trust_{federation_.root(), "battery.example", clock_};
  TrustKeeper maker_keeper_{maker_dir_.path(), maker_trust_};
  RegistrarLog maker_log_{maker_dir_.path(), maker_trust_};
  TrustService maker_service_{guard_, maker_keeper_, maker_log_};
  SayingService dealer_service_{guard_};
  testing::TlsServer maker_server_{federation_, "maker", "node"};
  testing::TlsServer dealer_server_{federation_, "dealer", "node"};

  const testing::TempDir dir_;
  identity::TrustStore trust_{federation_.root(), "battery.example", clock_};
  TrustKeeper keeper_{dir_.path(), trust_};
  RegistrarLog registrar_log_{dir_.path(), trust_};
  const TestCredential credential_ = federation_.Enrol("oem", "node");
};

TEST_F(AskTrustPeersTest, TakesOverWhatAnotherProcessBelievesAndKeepsIt) {
  federation_.Add("newcomer");
  ASSERT_THAT(maker_keeper_.TakeDirectory(federation_.MakeDirectory()), IsOk());
  ASSERT_THAT(maker_keeper_.TakeStatusList(WithSuspension(federation_)), IsOk());

  EXPECT_THAT(Ask({"maker"}), IsOk());

  EXPECT_TRUE(Suspended("workshop"));
  EXPECT_THAT(trust_.View()->Find("newcomer"), IsOk());
  identity::TrustStore restarted(federation_.root(), "battery.example", clock_);
  TrustKeeper(dir_.path(), restarted).Load();
  EXPECT_TRUE(restarted.View()->IsSuspended(federation_.DidOf("workshop")));
  EXPECT_THAT(restarted.View()->Find("newcomer"), IsOk());
}

TEST_F(AskTrustPeersTest, IsToldOnlyWhatIsNewer) {
  ASSERT_THAT(maker_keeper_.TakeDirectory(federation_.MakeDirectory()), IsOk());
  ASSERT_THAT(maker_keeper_.TakeStatusList(federation_.MakeStatusList()), IsOk());
  GetTrustListsRequest request;
  request.set_known_directory(maker_trust_.View()->directory_version);
  request.set_known_status(maker_trust_.View()->status_version - 1);

  EXPECT_FALSE(maker_keeper_.Lists(request).has_directory());
  EXPECT_TRUE(maker_keeper_.Lists(request).has_status_list());
  request.set_known_status(maker_trust_.View()->status_version);
  EXPECT_FALSE(maker_keeper_.Lists(request).has_status_list());
  EXPECT_TRUE(maker_keeper_.Lists(GetTrustListsRequest()).has_directory());
}

TEST_F(AskTrustPeersTest, TakesABundleOnlyFromARootThatItKnows) {
  TestFederation forged(clock_);
  *dealer_service_.lists.mutable_bundle() = forged.MakeBundle();
  EXPECT_THAT(Ask({"dealer"}), IsOk());
  EXPECT_EQ(trust_.View()->bundle->version, 0u);
  ASSERT_THAT(maker_keeper_.TakeBundle(federation_.MakeBundle()), IsOk());

  EXPECT_THAT(Ask({"dealer", "maker"}), IsOk());

  EXPECT_EQ(trust_.View()->bundle->version, maker_trust_.View()->bundle->version);
  EXPECT_GT(trust_.View()->bundle->version, 0u);
  GetTrustListsRequest request;
  request.set_known_bundle(maker_trust_.View()->bundle->version);
  EXPECT_FALSE(maker_keeper_.Lists(request).has_bundle());
}

TEST_F(AskTrustPeersTest, TakesNoListThatTheRegistrarDidNotSign) {
  const uint64_t known = trust_.View()->status_version;
  TestFederation forged(clock_);
  TestFederation other(clock_, "other.example");
  SignedStatusList changed = WithSuspension(federation_);
  changed.mutable_status_list()->mutable_payload()->push_back('x');
  for (const SignedStatusList& list : {WithSuspension(forged), WithSuspension(other), changed}) {
    *dealer_service_.lists.mutable_status_list() = list;
    *dealer_service_.lists.mutable_directory() = forged.MakeDirectory();

    EXPECT_THAT(Ask({"dealer"}), IsOk());

    EXPECT_EQ(trust_.View()->status_version, known);
    EXPECT_FALSE(Suspended("workshop"));
    EXPECT_THAT(trust_.View()->Find("maker"), IsOk());
  }
}

TEST_F(AskTrustPeersTest, TakesNoOlderListThanItKnows) {
  ASSERT_THAT(keeper_.TakeStatusList(WithSuspension(federation_)), IsOk());
  *dealer_service_.lists.mutable_status_list() = old_list_;

  EXPECT_THAT(Ask({"dealer"}), IsOk());

  EXPECT_TRUE(Suspended("workshop"));
}

TEST_F(AskTrustPeersTest, HearsTheHonestBesideTheLyingAndTheAbsent) {
  TestFederation forged(clock_);
  *dealer_service_.lists.mutable_status_list() = forged.MakeStatusList();
  ASSERT_THAT(maker_keeper_.TakeStatusList(WithSuspension(federation_)), IsOk());

  EXPECT_THAT(Ask({"dealer", "absent", "maker"}), IsOk());

  EXPECT_TRUE(Suspended("workshop"));
}

TEST_F(AskTrustPeersTest, IsUnavailableWhenNobodyAnswers) {
  EXPECT_THAT(Ask({"absent"}), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(AskTrustPeersTest, RefusesEveryoneWhenWhatIsPassedOnIsBeyondTheAgeLimit) {
  rpc::Guard own_guard({.own_label = "oem", .federation = "battery.example"}, TrustRows(),
                       federation_.tokens(), trust_, clock_);
  TrustService own_service(own_guard, keeper_, registrar_log_);
  testing::TlsServer own_server(federation_, "oem", "node");
  ASSERT_THAT(own_server.Start(own_guard, {&own_service}), IsOk());
  const TestCredential maker = federation_.Enrol("maker", "node");
  const auto call = [&] {
    return testing::CallRaw(own_server.Channel(maker, federation_.Token("maker", maker)),
                            "/tsunagi.identity.v1.TrustService/GetTrustLists");
  };
  *dealer_service_.lists.mutable_status_list() = old_list_;

  ASSERT_THAT(Ask({"dealer"}), IsOk());
  EXPECT_GT(trust_.View()->status_version, 0);
  EXPECT_THAT(call(), StatusIs(absl::StatusCode::kUnavailable));

  *dealer_service_.lists.mutable_status_list() = federation_.MakeStatusList();
  ASSERT_THAT(Ask({"dealer"}), IsOk());
  EXPECT_THAT(call(), IsOk());
}

}  // namespace
}  // namespace tsunagi::process
