// The stamper against `openssl ts` behind HTTP on loopback.
#include "services/process/stamper.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/stamping_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::process {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;
using testing::StatusIs;
using enum absl::StatusCode;
using internal::v1::StampingAuthority;

// Making its keys takes longer than a test.
testing::StampingServer& Authority() {
  static auto& authority = *new std::unique_ptr<testing::StampingServer>();
  if (authority == nullptr) {
    authority = std::make_unique<testing::StampingServer>();
    std::atexit([] { authority.reset(); });
  }
  return *authority;
}

class StamperTest : public ::testing::Test {
 protected:
  StamperTest() { Append(); }

  void Append() {
    audit::Commit commit;
    commit.record = "record";
    ASSERT_THAT(journal_->SubmitAndWait(std::move(commit)), IsOk());
  }
  StampingAuthority Config(absl::string_view path) const {
    StampingAuthority config;
    config.set_url(Authority().Url(path));
    config.set_root_file(Authority().root_file());
    config.add_allowed_addresses("127.0.0.1");
    return config;
  }
  std::unique_ptr<Stamper> New(const StampingAuthority& config) {
    return Stamper::New(
               config, *journal_, [this] { return newest_ ? newest_() : journal_->LatestCheckpoint(); },
               clock_, random_)
        .value();
  }
  // What comes of asking at `path`, once.
  absl::Status RunAt(absl::string_view path) { return New(Config(path))->Run(); }
  std::vector<audit::KeptStamp> Kept() const { return audit::StampsFrom(*store_, 0, 10).value(); }

  testing::FakeClock clock_{absl::Now()};
  testing::FakeRandom random_;
  const std::unique_ptr<store::Store> store_ = store::NewMemoryStore();
  const std::unique_ptr<audit::Journal> journal_ =
      audit::Journal::Open(*store_, "oem.battery.example/node",
                           crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519), random_)
          .value();
  Stamper::NewestNote newest_;
};

TEST_F(StamperTest, KeepsAStampThatVerifiesOffline) {
  const std::string note = journal_->LatestCheckpoint();

  ASSERT_THAT(RunAt("/stamp"), IsOk());

  ASSERT_THAT(Kept(), SizeIs(1));
  EXPECT_EQ(Kept()[0].size, 1u);
  EXPECT_EQ(Kept()[0].stamp.checkpoint(), note);
  const auto verifier = crypto::TimeStampVerifier::FromPem(*ReadFile(Authority().root_file(), 64 << 10));
  const auto stamp = verifier->Verify(Kept()[0].stamp.token(), note);
  ASSERT_THAT(stamp, IsOk());
  EXPECT_EQ(stamp->authority, "CN=stamping signer");
  EXPECT_LT(absl::AbsDuration(stamp->time - absl::Now()), absl::Minutes(1));
}

TEST_F(StamperTest, AsksForThePolicyThatIsConfigured) {
  StampingAuthority config = Config("/stamp");
  config.set_policy("1.2.392.8");
  ASSERT_THAT(New(config)->Run(), IsOk());
  Append();
  config.set_policy("1.2.392.9");

  EXPECT_THAT(New(config)->Run(), StatusIs(kFailedPrecondition, HasSubstr("unacceptedPolicy")));
}

TEST_F(StamperTest, StampsAgainWhenThePauseIsOverAndTheLogHasGrown) {
  const auto stamper = New(Config("/stamp"));
  ASSERT_THAT(stamper->Run(), IsOk());
  clock_.Advance(absl::Seconds(59));
  Append();
  ASSERT_THAT(stamper->Run(), IsOk());
  EXPECT_THAT(Kept(), SizeIs(1));

  StampingAuthority often = Config("/stamp");
  often.set_interval_seconds(60);
  const auto restarted = New(often);
  ASSERT_THAT(restarted->Run(), IsOk());
  EXPECT_THAT(Kept(), SizeIs(2));
  const int asked = Authority().Requests();
  ASSERT_THAT(New(often)->Run(), IsOk());
  EXPECT_EQ(Authority().Requests(), asked);
}

TEST_F(StamperTest, WaitsForItsPauseAndNotForAClockThatWasPutBack) {
  const auto stamper = New(Config("/stamp"));
  ASSERT_THAT(stamper->Run(), IsOk());
  Append();
  clock_.Advance(absl::Seconds(3599));
  ASSERT_THAT(stamper->Run(), IsOk());
  EXPECT_THAT(Kept(), SizeIs(1));
  clock_.Advance(absl::Seconds(-3609));

  EXPECT_THAT(stamper->Run(), IsOk());

  EXPECT_THAT(Kept(), SizeIs(2));
}

TEST_F(StamperTest, AsksForNothingWhileNothingIsCosigned) {
  newest_ = [] { return absl::NotFoundError("none"); };
  const int asked = Authority().Requests();

  EXPECT_THAT(RunAt("/stamp"), IsOk());

  EXPECT_EQ(Authority().Requests(), asked);
}

struct Case {
  const char* name;
  const char* path;
  absl::StatusCode code;
  const char* reason;
};

class BadAuthorityTest : public StamperTest, public ::testing::WithParamInterface<Case> {};

TEST_P(BadAuthorityTest, IsRefusedAndKeepsNothing) {
  EXPECT_THAT(RunAt(GetParam().path), StatusIs(GetParam().code, HasSubstr(GetParam().reason)));
  EXPECT_THAT(Kept(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Replies, BadAuthorityTest,
                         ::testing::Values(Case{"Garbage", "/garbage", kInvalidArgument, "TimeStampResp"},
                                           Case{"AnotherContentType", "/html", kInvalidArgument,
                                                "application/timestamp-reply"},
                                           Case{"Oversized", "/oversized", kUnavailable, "limit"},
                                           Case{"ARedirect", "/moved", kFailedPrecondition, "302"},
                                           Case{"Busy", "/busy", kFailedPrecondition, "503"}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(StamperTest, RefusesAReplyThatWasGivenBefore) {
  ASSERT_THAT(RunAt("/replayed"), IsOk());
  ASSERT_THAT(store_->Apply({store::Delete(store::Table::kState, audit::PutStamp({1, {}}).key)}), IsOk());

  // Over the same checkpoint, only the nonce differs.
  EXPECT_THAT(RunAt("/replayed"), StatusIs(kUnauthenticated, HasSubstr("nonce")));

  EXPECT_THAT(Kept(), IsEmpty());
}

TEST_F(StamperTest, RefusesATimeThatIsFarFromItsOwn) {
  for (const absl::Duration off : {absl::Seconds(70), absl::Seconds(-70)}) {
    clock_.Advance(off);
    EXPECT_THAT(RunAt("/stamp"), StatusIs(kFailedPrecondition, HasSubstr("check this machine's clock")));
    clock_.Advance(-off);
  }
  EXPECT_THAT(Kept(), IsEmpty());
}

TEST_F(StamperTest, RefusesAnotherAuthoritysStamps) {
  const testing::StampingServer other;
  StampingAuthority config = Config("/stamp");
  config.set_root_file(other.root_file());

  EXPECT_THAT(New(config)->Run(), StatusIs(kUnauthenticated, HasSubstr("Verify error")));
  EXPECT_THAT(Kept(), IsEmpty());
}

TEST_F(StamperTest, CallsNoAddressInsideTheOwnNetworkUnlessItIsAllowed) {
  StampingAuthority config = Config("/stamp");
  config.clear_allowed_addresses();
  const int asked = Authority().Requests();

  EXPECT_THAT(New(config)->Run(), StatusIs(kPermissionDenied, HasSubstr("not public")));

  EXPECT_EQ(Authority().Requests(), asked);
}

TEST_F(StamperTest, TriesAgainAfterAMinuteAndSaysMeanwhileWhatIsWrong) {
  const testing::StampingServer authority;
  StampingAuthority config = Config("");
  config.set_url(authority.Url("/down"));
  config.set_root_file(authority.root_file());
  const auto stamper = New(config);
  clock_.Advance(absl::Minutes(-3));  // the authority's clock is the machine's
  EXPECT_THAT(stamper->Run(), StatusIs(kFailedPrecondition, HasSubstr("503")));
  EXPECT_THAT(stamper->Trouble(), HasSubstr("checkpoints are not stamped: the stamping authority answers"));
  EXPECT_THAT(stamper->Run(), IsOk());
  EXPECT_EQ(authority.Requests(), 1);
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(stamper->Run(), StatusIs(kFailedPrecondition));
  clock_.Advance(absl::Seconds(59));
  EXPECT_THAT(stamper->Run(), IsOk());
  EXPECT_EQ(authority.Requests(), 2);
  authority.ComeUp();
  clock_.Advance(absl::Seconds(61));

  EXPECT_THAT(stamper->Run(), IsOk());

  EXPECT_THAT(stamper->Trouble(), IsEmpty());
  EXPECT_THAT(Kept(), SizeIs(1));
}

TEST_F(StamperTest, DoesNotStartWithoutTheRoot) {
  const testing::TempDir dir;
  StampingAuthority config = Config("/stamp");
  const auto start = [&](const std::string& content) {
    EXPECT_THAT(WriteFileAtomically(dir.File("root"), content, 0600), IsOk());
    config.set_root_file(dir.File("root"));
    return Stamper::New(config, *journal_, newest_, clock_, random_).status();
  };

  EXPECT_THAT(start("no certificate"), StatusIs(kInvalidArgument, HasSubstr("stamping_authority.root_file")));
  config.set_root_file(dir.File("missing"));
  EXPECT_THAT(Stamper::New(config, *journal_, newest_, clock_, random_).status(),
              StatusIs(kNotFound, HasSubstr("stamping_authority.root_file")));
}

TEST(StampingConfigTest, NamesEachMistake) {
  StampingAuthority config;
  config.set_url("ftp://stamps.example");
  config.set_policy("sha256");
  config.set_interval_seconds(59);
  config.add_allowed_addresses("stamps.example");
  config.add_allowed_addresses("010.0.0.1");
  std::string fields;
  for (const FieldMistake& mistake : MistakesIn(config)) absl::StrAppend(&fields, mistake.field, "\n");

  EXPECT_EQ(fields,
            "stamping_authority.url\nstamping_authority.root_file\nstamping_authority.policy\n"
            "stamping_authority.interval_seconds\nstamping_authority.allowed_addresses\n"
            "stamping_authority.allowed_addresses\n");
  config.set_interval_seconds(86401);
  EXPECT_THAT(MistakesIn(config), SizeIs(6));
}

TEST(StampingConfigTest, AcceptsWhatIsComplete) {
  StampingAuthority config;
  config.set_url("http://stamps.example/tsa");
  config.set_root_file("/etc/tsunagi/stamps.pem");
  EXPECT_THAT(MistakesIn(config), IsEmpty());
  config.set_policy("1.2.392.200091.1");
  config.set_interval_seconds(60);
  config.add_allowed_addresses("10.0.0.7");
  config.add_allowed_addresses("fd00::7");
  EXPECT_THAT(MistakesIn(config), IsEmpty());
}

}  // namespace
}  // namespace tsunagi::process
