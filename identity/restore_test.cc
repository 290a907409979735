#include "identity/restore.h"

#include <filesystem>

#include "absl/strings/str_split.h"
#include "core/audit/verify.h"
#include "core/base/bytes.h"
#include "core/base/status_macros.h"
#include "core/store/key.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/bitstring.h"
#include "identity/registrar_for_test.h"
#include "nlohmann/json.hpp"
#include "tests/support/fault_store.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

constexpr absl::Time kStart = absl::FromUnixSeconds(1795219200);

// A registrar, a copy of its store, and a member that follows what the registrar does after the copy.
class RestoreTest : public ::testing::Test {
 protected:
  RestoreTest()
      : authority_(LoadOrCreateAuthority(keys_.File("keys"), kFederation, kStart).value()),
        registrar_(kStart, authority_, keys_.File("keys")),
        member_(authority_.root.certificate, kFederation, registrar_.clock) {
    for (const char* label : {"maker", "workshop", "dealer"}) registrar_.Register(label);
  }

  void Copy() { copy_ = testing::CopyOf(*registrar_.store); }
  void Follow() {
    registrar_.clock.Advance(absl::Minutes(1));
    ASSERT_THAT(member_.AcceptBundle(registrar_.registrar->trust().View()->bundle->signed_bundle), IsOk());
    ASSERT_THAT(member_.AcceptDirectory(registrar_.Directory()), IsOk());
    ASSERT_THAT(member_.AcceptStatusList(registrar_.StatusList()), IsOk());
  }
  // Goes on from the copy, as resume-after-restore does; the registrar then is the resumed one.
  absl::StatusOr<audit::v1::EpochRecord> Resume() {
    auto next = store::NewMemoryStore();
    RETURN_IF_ERROR(CopyKept(*copy_, *next));
    const internal::v1::StoredAuthority stored = LoadStoredAuthority(*next).value();
    AuthorityInUse authority(
        LoadOrCreateAuthority(keys_.File("keys"), kFederation, registrar_.clock.Now(), stored).value());
    auto journal =
        audit::Journal::Open(*next, RegistrarOrigin(kFederation, 2), authority_.log, registrar_.random)
            .value();
    RegistrarOptions options = registrar_.options;
    options.keys_folder = keys_.File("keys");
    audit::v1::EpochRecord record;
    record.set_reason("the disk was lost");
    auto resumed = TakeOver({*journal, authority, registrar_.clock, registrar_.random, options},
                            *member_.View(), record);
    if (!resumed.ok()) return resumed;
    EXPECT_THAT(audit::VerifyWholeLog(*journal), IsOk());
    journal.reset();
    registrar_.journal.reset();
    registrar_.registrar.reset();
    registrar_.store = std::move(next);
    registrar_.Restart(LoadEpoch(*registrar_.store).value());
    return resumed;
  }
  void TrustOther() {
    v1::TrustFederationRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_federation(other_.name());
    request.set_bundle(Encode(other_.MakeBundle()));
    request.set_root_sha256(ToHex(other_.root().sha256));
    request.set_url("https://registrar.other.example:8443");
    request.add_did_hosts(other_.name());
    request.set_reason("agreement of 2026-11-30");
    ASSERT_THAT(WaitFor<v1::TrustFederationResponse>([&](auto done) {
                  registrar_.registrar->federations().Trust(RegistrarForTest::Operator(), request,
                                                            std::move(done));
                }),
                IsOk());
  }
  void RevokeOther() {
    v1::RevokeFederationRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_federation(other_.name());
    request.set_reason("they let anybody in");
    ASSERT_THAT(WaitFor<v1::RevokeFederationResponse>([&](auto done) {
                  registrar_.registrar->federations().Revoke(RegistrarForTest::Operator(), request,
                                                             std::move(done));
                }),
                IsOk());
  }
  // Where the participant's credential stands in the status lists.
  size_t CredentialIndex(const std::string& label) {
    const auto jwt = WaitFor<std::string>([&](auto done) {
      registrar_.registrar->credentials().Get({label, "node", std::string(32, 'c'), absl::InfiniteFuture()},
                                              CredentialKind::kMembership, std::move(done));
    });
    return std::stoul(BodyOf(jwt.value())["credentialStatus"][0]["statusListIndex"].get<std::string>());
  }
  Bitstring CredentialBits(StatusPurpose purpose) {
    const auto list = WaitFor<std::shared_ptr<const std::string>>(
        [&](auto done) { registrar_.registrar->credentials().GetStatusList(purpose, std::move(done)); });
    const nlohmann::json body = BodyOf(**list);
    return Bitstring::Decode(body["credentialSubject"]["encodedList"].get<std::string>()).value();
  }
  static nlohmann::json BodyOf(const std::string& jwt) {
    const std::vector<std::string> parts = absl::StrSplit(jwt, '.');
    return nlohmann::json::parse(FromBase64Url(parts.at(1)).value());
  }
  StoredParticipant Stored(const std::string& label) const {
    return LoadEntry(*registrar_.store, label).value();
  }

  testing::TempDir keys_;
  Authority authority_;
  RegistrarForTest registrar_;
  testing::TestFederation other_{registrar_.clock, "other.example"};
  TrustStore member_;
  std::unique_ptr<store::Store> copy_;
};

TEST_F(RestoreTest, WhoeverWasSuspendedMeanwhileStaysSuspended) {
  Copy();
  ASSERT_THAT(registrar_.SetSuspended("workshop", true), IsOk());
  Follow();
  const auto before = member_.View();

  const auto record = Resume();

  ASSERT_THAT(record, IsOk());
  EXPECT_THAT(record->suspended_again(), ElementsAre(RegistrarForTest::DidOf("workshop")));
  EXPECT_EQ(record->seen_status_version(), before->status_version);
  EXPECT_LT(record->status_version(), before->status_version);
  EXPECT_TRUE(Stored("workshop").suspended());
  EXPECT_EQ(registrar_.Entry("workshop").state(), v1::PARTICIPANT_STATE_SUSPENDED);
  Follow();
  EXPECT_TRUE(member_.View()->IsSuspended(RegistrarForTest::DidOf("workshop")));
  EXPECT_GT(member_.View()->status_version, before->status_version + kVersionsAbove - 1);
  EXPECT_GT(member_.View()->directory_version, before->directory_version + kVersionsAbove - 1);
}

TEST_F(RestoreTest, TheStatusListAloneSuspends) {
  Copy();
  Follow();
  ASSERT_THAT(registrar_.SetSuspended("workshop", true), IsOk());
  registrar_.clock.Advance(absl::Minutes(1));
  ASSERT_THAT(member_.AcceptStatusList(registrar_.StatusList()), IsOk());

  ASSERT_THAT(Resume(), IsOk());

  EXPECT_TRUE(Stored("workshop").suspended());
  EXPECT_EQ(registrar_.Entry("workshop").state(), v1::PARTICIPANT_STATE_SUSPENDED);
}

TEST_F(RestoreTest, TheDirectoryAloneSuspends) {
  Copy();
  Follow();
  ASSERT_THAT(registrar_.SetSuspended("workshop", true), IsOk());
  ASSERT_THAT(member_.AcceptDirectory(registrar_.Directory()), IsOk());

  ASSERT_THAT(Resume(), IsOk());

  EXPECT_TRUE(Stored("workshop").suspended());
  EXPECT_TRUE(registrar_.registrar->trust().View()->IsSuspended(RegistrarForTest::DidOf("workshop")));
}

TEST_F(RestoreTest, WhoeverWasReinstatedIsNotSuspendedAgain) {
  ASSERT_THAT(registrar_.SetSuspended("workshop", true), IsOk());
  Copy();
  ASSERT_THAT(registrar_.SetSuspended("workshop", false), IsOk());
  Follow();

  const auto record = Resume();

  ASSERT_THAT(record, IsOk());
  EXPECT_THAT(record->suspended_again(), IsEmpty());
  EXPECT_FALSE(Stored("workshop").suspended());
  EXPECT_FALSE(registrar_.registrar->trust().View()->IsSuspended(RegistrarForTest::DidOf("workshop")));
}

TEST_F(RestoreTest, SuspensionsFromBeforeTheCopyStay) {
  ASSERT_THAT(registrar_.SetSuspended("workshop", true), IsOk());
  Copy();

  ASSERT_THAT(Resume(), IsOk()) << "nobody holds anything newer";

  EXPECT_TRUE(Stored("workshop").suspended());
  EXPECT_TRUE(registrar_.registrar->trust().View()->IsSuspended(RegistrarForTest::DidOf("workshop")));
}

TEST_F(RestoreTest, MembersKeysAndLeaversAreTakenOver) {
  Copy();
  ASSERT_THAT(registrar_.TryRegister(RegistrarForTest::WithNumber("late", "7000012050002")), IsOk());
  const crypto::PrivateKey key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  v1::ListKeysRequest keys;
  RegistrarForTest::AddKey(key, v1::KEY_PURPOSE_SIGNING, "", RegistrarForTest::DidOf("maker"), keys);
  ASSERT_THAT(registrar_.ListKeys(RegistrarForTest::CallerOf("maker"), keys), IsOk());
  ASSERT_THAT(registrar_.Leave("dealer", "maker"), IsOk());
  Follow();

  ASSERT_THAT(Resume(), IsOk());

  EXPECT_EQ(registrar_.Entry("late").did(), RegistrarForTest::DidOf("late"));
  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::WithNumber("other", "7000012050002")),
              StatusIs(kAlreadyExists))
      << "its identifiers are its own";
  ASSERT_EQ(registrar_.Entry("maker").keys_size(), 1);
  EXPECT_EQ(registrar_.Entry("maker").keys(0).key_id(), key.id());
  v1::ListKeysRequest stolen;
  RegistrarForTest::AddKey(key, v1::KEY_PURPOSE_SIGNING, "", RegistrarForTest::DidOf("workshop"), stolen);
  EXPECT_THAT(registrar_.ListKeys(RegistrarForTest::CallerOf("workshop"), stolen), StatusIs(kAlreadyExists));
  EXPECT_EQ(registrar_.Entry("dealer").state(), v1::PARTICIPANT_STATE_LEFT);
  EXPECT_EQ(registrar_.Entry("dealer").successor(), RegistrarForTest::DidOf("maker"));
  EXPECT_TRUE(Stored("dealer").suspended());
  Follow();
}

TEST_F(RestoreTest, IdentifiersThatChangedHandsAreTakenOver) {
  ASSERT_THAT(registrar_.TryRegister(RegistrarForTest::WithNumber("zeta", "7000012050002")), IsOk());
  Copy();
  ASSERT_THAT(registrar_.Leave("zeta"), IsOk());
  ASSERT_THAT(registrar_.TryRegister(RegistrarForTest::WithNumber("alpha", "7000012050002")), IsOk());
  Follow();

  ASSERT_THAT(Resume(), IsOk());

  EXPECT_EQ(registrar_.Entry("alpha").identifiers(0).value(), "7000012050002");
}

TEST_F(RestoreTest, AKeyOfTheDirectoryThatWasReplacedIsReplaced) {
  Copy();
  for (const v1::AuthorityKey key :
       {v1::AUTHORITY_KEY_DIRECTORY, v1::AUTHORITY_KEY_STATUS, v1::AUTHORITY_KEY_TOKEN}) {
    registrar_.clock.Advance(absl::Hours(1));
    v1::RotateKeyRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_key(key);
    request.set_reason("yearly");
    ASSERT_THAT(registrar_.registrar->anchors().Rotate(RegistrarForTest::Operator(), request), IsOk());
  }
  registrar_.clock.Advance(absl::Minutes(2));
  Follow();
  const std::string token = registrar_.in_use.Get()->token.id();
  for (const char* name : {"directory-2", "status-2"}) {
    std::filesystem::remove(keys_.File(std::string("keys/") + name + ".key"));
    std::filesystem::remove(keys_.File(std::string("keys/") + name + ".crt"));
  }
  registrar_.clock.Advance(absl::Hours(1));

  ASSERT_THAT(Resume(), IsOk());

  Follow();  // takes what it signs
  EXPECT_EQ(registrar_.in_use.Get()->token.id(), token);
}

TEST_F(RestoreTest, ANewerBundleNeedsTheKeysThatItNames) {
  Copy();
  for (const bool put_into_use : {false, true}) {
    v1::RotateKeyRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_key(v1::AUTHORITY_KEY_ISSUING);
    request.set_reason("yearly");
    request.set_put_into_use(put_into_use);
    ASSERT_THAT(registrar_.registrar->anchors().Rotate(RegistrarForTest::Operator(), request), IsOk());
  }
  Follow();
  const uint64_t bundle = member_.View()->bundle->version;
  const std::string key = keys_.File("keys/issuing-2.key");
  std::filesystem::rename(key, keys_.File("safe"));
  EXPECT_THAT(Resume(), StatusIs(kFailedPrecondition, HasSubstr("issuing-2.key")));
  std::filesystem::rename(keys_.File("safe"), key);

  ASSERT_THAT(Resume(), IsOk());

  EXPECT_EQ(registrar_.registrar->trust().View()->bundle->version, bundle + 1);
  EXPECT_EQ(KeyName("issuing", 2), "issuing-2");
  EXPECT_EQ(LoadStoredAuthority(*registrar_.store)->issuing(), 2u);
  Follow();
}

TEST_F(RestoreTest, ATrustThatMayHaveBeenRevokedIsRevoked) {
  TrustOther();
  Copy();
  RevokeOther();
  Follow();
  const uint64_t required = member_.View()->federations_required;

  ASSERT_THAT(Resume(), IsOk());

  EXPECT_THAT(registrar_.registrar->trust().View()->FindFederation("other.example"),
              StatusIs(kPermissionDenied));
  EXPECT_THAT(registrar_.Acts(), Contains("federation-revoked"));
  Follow();
  EXPECT_EQ(member_.View()->federations_required, required + kVersionsAbove);
  TrustOther();
  EXPECT_THAT(registrar_.registrar->trust().View()->FindFederation("other.example"), IsOk());
}

TEST_F(RestoreTest, ATrustThatDidNotChangeStays) {
  TrustOther();
  Copy();
  ASSERT_THAT(registrar_.SetSuspended("workshop", true), IsOk());
  Follow();
  const uint64_t required = member_.View()->federations_required;

  ASSERT_THAT(Resume(), IsOk());

  EXPECT_THAT(registrar_.registrar->trust().View()->FindFederation("other.example"), IsOk());
  EXPECT_THAT(registrar_.Acts(), Not(Contains("federation-revoked")));
  Follow();
  EXPECT_EQ(member_.View()->federations_required, required + kVersionsAbove);
}

TEST_F(RestoreTest, OtherFederationsTakeTheNextRoster) {
  Copy();

  ASSERT_THAT(Resume(), IsOk());

  EXPECT_GE(LoadRoster(*registrar_.store)->version(), kVersionsAbove);
}

TEST_F(RestoreTest, CredentialsThatItForgotDoNotCountAndTheirPlacesStayTaken) {
  const size_t known = CredentialIndex("maker");
  Copy();
  const size_t forgotten = CredentialIndex("workshop");
  Follow();

  ASSERT_THAT(Resume(), IsOk());

  for (const StatusPurpose purpose : {StatusPurpose::kSuspension, StatusPurpose::kRevocation}) {
    EXPECT_FALSE(CredentialBits(purpose).IsSet(known));
    EXPECT_TRUE(CredentialBits(purpose).IsSet(forgotten));
  }
  const size_t anew = CredentialIndex("workshop");
  EXPECT_GE(anew, Bitstring::kMinBits);
  EXPECT_EQ(CredentialIndex("maker"), known);
  EXPECT_FALSE(CredentialBits(StatusPurpose::kSuspension).IsSet(anew));
}

TEST_F(RestoreTest, DropsWhatMayHaveBeenUsedOrEnded) {
  registrar_.Invite("maker");
  ASSERT_THAT(registrar_.store->Apply({store::Put(store::Table::kState, store::Key("session").Str("a"), "x"),
                                       store::Put(store::Table::kState, store::Key("proposal").Str("a"), "x"),
                                       store::Put(store::Table::kState, store::Key("stamp").U64(7), "x"),
                                       store::Put(store::Table::kPerson, store::Key("account-name"), "x")}),
              IsOk());
  Copy();
  auto next = store::NewMemoryStore();

  ASSERT_THAT(CopyKept(*copy_, *next), IsOk());

  const auto count = [&](store::Table table, const std::string& prefix) {
    int rows = 0;
    EXPECT_THAT(
        next->Scan(table, prefix, "", [&](absl::string_view, absl::string_view) { return ++rows > 0; }),
        IsOk());
    return rows;
  };
  for (const char* kind : {"invitation", "session", "proposal", "checkpoint", "stamp"}) {
    EXPECT_EQ(count(store::Table::kState, store::Key(kind)), 0) << kind;
  }
  EXPECT_GT(count(store::Table::kState, EntryPrefix()), 0);
  EXPECT_EQ(count(store::Table::kPerson, ""), 1);
  EXPECT_EQ(count(store::Table::kLog, "") + count(store::Table::kRecords, ""), 0);
}

TEST_F(RestoreTest, TheFirstLeafNamesWhatWasLost) {
  Copy();
  ASSERT_THAT(registrar_.SetSuspended("workshop", true), IsOk());
  Follow();
  ASSERT_THAT(Resume(), IsOk());

  const auto leaves = registrar_.journal->Leaves(0, 1).value();
  audit::v1::Record first;
  ASSERT_TRUE(first.ParseFromString(leaves[0].record));

  EXPECT_EQ(first.epoch().reason(), "the disk was lost");
  EXPECT_THAT(first.epoch().suspended_again(), ElementsAre(RegistrarForTest::DidOf("workshop")));
  EXPECT_EQ(registrar_.journal->origin(), "registrar.battery.example/registrar/2");
}

}  // namespace
}  // namespace tsunagi::identity
