#include "identity/credentials.h"

#include <functional>
#include <vector>

#include "absl/strings/str_split.h"
#include "core/base/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/bitstring.h"
#include "identity/entries.h"
#include "identity/registrar_for_test.h"
#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::Not;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;
using nlohmann::json;

// A credential taken apart, its signature checked against the registrar's credential key.
struct Opened {
  json header;
  json body;
};

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() {
    v1::Participant maker = RegistrarForTest::Named("maker");
    maker.add_roles("cell-maker");
    maker.add_roles("oem");
    v1::PartyIdentifier& lei = *maker.add_identifiers();
    lei.set_scheme("duns");
    lei.set_value("690549680");
    EXPECT_THAT(registrar_.TryRegister(maker), IsOk());
  }

  absl::StatusOr<std::string> TryGet(CredentialKind kind, const std::string& label = "maker") {
    return WaitFor<std::string>([&](auto done) {
      registrar_.registrar->credentials().Get({label, "node", std::string(32, 'c'), absl::InfiniteFuture()},
                                              kind, std::move(done));
    });
  }
  std::string Get(CredentialKind kind, const std::string& label = "maker") {
    return TryGet(kind, label).value();
  }
  Opened Open(const std::string& jwt) {
    const std::vector<std::string> parts = absl::StrSplit(jwt, '.');
    EXPECT_EQ(parts.size(), 3u);
    EXPECT_TRUE(registrar_.authority.credential.public_key().Verify(parts[0] + "." + parts[1],
                                                                    FromBase64Url(parts[2]).value()));
    return {json::parse(FromBase64Url(parts[0]).value()), json::parse(FromBase64Url(parts[1]).value())};
  }
  size_t IndexOf(const std::string& jwt) {
    return std::stoul(Open(jwt).body["credentialStatus"][0]["statusListIndex"].get<std::string>());
  }
  std::string StatusList(StatusPurpose purpose) {
    return *WaitFor<std::shared_ptr<const std::string>>([&](auto done) {
              registrar_.registrar->credentials().GetStatusList(purpose, std::move(done));
            }).value();
  }
  bool IsSet(StatusPurpose purpose, size_t index) {
    const json subject = Open(StatusList(purpose)).body["credentialSubject"];
    return Bitstring::Decode(subject["encodedList"].get<std::string>())->IsSet(index);
  }
  // Changes an entry, as the membership service would.
  void Change(const std::string& label, const std::function<void(v1::Participant&)>& change) {
    StoredParticipant entry = LoadEntry(registrar_.journal->store(), label).value();
    change(*entry.mutable_participant());
    audit::Commit commit;
    commit.version = registrar_.journal->Version();
    ASSERT_THAT(AddEntryChange(registrar_.registrar->context(), entry, commit), IsOk());
    commit.record = "test";
    ASSERT_THAT(registrar_.journal->SubmitAndWait(std::move(commit)), IsOk());
  }
  // The participant leaves, as entry and status list then say.
  void Leave(const std::string& label) {
    ASSERT_THAT(registrar_.SetSuspended(label, true), IsOk());
    Change(label, [](v1::Participant& entry) { entry.set_state(v1::PARTICIPANT_STATE_LEFT); });
  }

  RegistrarForTest registrar_;
  const std::string registrar_did_ = RegistrarForTest::DidOf("registrar");
};

TEST_F(CredentialsTest, TheMembershipCredentialSaysWhoIsAMember) {
  const Opened opened = Open(Get(CredentialKind::kMembership));

  EXPECT_EQ(opened.header, (json{{"alg", "ES256"},
                                 {"typ", "vc+jwt"},
                                 {"kid", registrar_did_ + "#" + registrar_.authority.credential.id()}}));
  const json& body = opened.body;
  EXPECT_EQ(body["@context"][0], "https://www.w3.org/ns/credentials/v2");
  EXPECT_EQ(body["type"], json({"VerifiableCredential", "MembershipCredential"}));
  EXPECT_EQ(body["issuer"], registrar_did_);
  EXPECT_EQ(body["validFrom"], "2026-11-21T00:00:00Z");
  EXPECT_EQ(body["validUntil"], "2027-02-19T00:00:00Z");
  EXPECT_EQ(body["credentialSubject"],
            (json{{"id", RegistrarForTest::DidOf("maker")},
                  {"memberOf", kFederation},
                  {"name", "maker"},
                  {"identifiers", json::array({{{"scheme", "duns"}, {"value", "690549680"}}})}}));
  EXPECT_THAT(registrar_.Acts(), Contains("credential-issued"));
}

TEST_F(CredentialsTest, TheRoleCredentialSaysTheRoles) {
  const json body = Open(Get(CredentialKind::kRoles)).body;

  EXPECT_EQ(body["type"], json({"VerifiableCredential", "RoleCredential"}));
  EXPECT_EQ(body["credentialSubject"]["roles"], json({"cell-maker", "oem"}));
  registrar_.Register("plain");
  EXPECT_THAT(TryGet(CredentialKind::kRoles, "plain"), StatusIs(kNotFound));
}

TEST_F(CredentialsTest, ACredentialStandsInBothStatusListsUnderOneIndex) {
  const json status = Open(Get(CredentialKind::kMembership)).body["credentialStatus"];

  ASSERT_EQ(status.size(), 2u);
  EXPECT_EQ(status[0]["type"], "BitstringStatusListEntry");
  EXPECT_EQ(status[0]["statusPurpose"], "suspension");
  EXPECT_EQ(status[0]["statusListCredential"], "https://did.example/credentials/status/1");
  EXPECT_EQ(status[1]["statusPurpose"], "revocation");
  EXPECT_EQ(status[1]["statusListCredential"], "https://did.example/credentials/status/2");
  EXPECT_EQ(status[0]["statusListIndex"], status[1]["statusListIndex"]);
  EXPECT_EQ(Open(Get(CredentialKind::kRoles)).body["credentialStatus"], status);
}

TEST_F(CredentialsTest, ParticipantsHaveIndexesOfTheirOwn) {
  std::vector<size_t> seen;
  for (int i = 0; i < 20; ++i) {
    const std::string label = absl::StrCat("member-", i);
    registrar_.Register(label);
    const size_t index = IndexOf(Get(CredentialKind::kMembership, label));
    EXPECT_LT(index, Bitstring::kMinBits);
    EXPECT_THAT(seen, Not(Contains(index)));
    seen.push_back(index);
  }
  EXPECT_THAT(seen, Not(Each(::testing::Lt(20u))));
}

TEST_F(CredentialsTest, AreTheSameUntilHalfOfTheirLifeHasPassed) {
  const std::string first = Get(CredentialKind::kMembership);
  registrar_.clock.Advance(Credentials::kLife / 2 - absl::Seconds(1));
  EXPECT_EQ(Get(CredentialKind::kMembership), first);

  registrar_.clock.Advance(absl::Seconds(1));
  const std::string second = Get(CredentialKind::kMembership);

  EXPECT_NE(second, first);
  EXPECT_EQ(IndexOf(second), IndexOf(first));
}

TEST_F(CredentialsTest, AreIssuedAnewWhenWhatTheySayChanges) {
  const std::string first = Get(CredentialKind::kRoles);
  Change("maker", [](v1::Participant& entry) { entry.add_roles("recycler"); });

  EXPECT_EQ(Open(Get(CredentialKind::kRoles)).body["credentialSubject"]["roles"],
            json({"cell-maker", "oem", "recycler"}));
}

TEST_F(CredentialsTest, AreNotForWhoIsUnknownSuspendedOrHasLeft) {
  EXPECT_THAT(TryGet(CredentialKind::kMembership, "nobody"), StatusIs(kPermissionDenied));
  registrar_.Register("dealer");
  Leave("dealer");
  EXPECT_THAT(TryGet(CredentialKind::kMembership, "dealer"), StatusIs(kPermissionDenied));
  Get(CredentialKind::kMembership);
  ASSERT_THAT(registrar_.SetSuspended("maker", true), IsOk());
  EXPECT_THAT(TryGet(CredentialKind::kMembership), StatusIs(kPermissionDenied));
}

TEST_F(CredentialsTest, TheStatusListIsACredentialOfTheRegistrar) {
  const Opened opened = Open(StatusList(StatusPurpose::kRevocation));

  EXPECT_EQ(opened.header["typ"], "vc+jwt");
  const json& body = opened.body;
  EXPECT_EQ(body["id"], "https://did.example/credentials/status/2");
  EXPECT_EQ(body["type"], json({"VerifiableCredential", "BitstringStatusListCredential"}));
  EXPECT_EQ(body["issuer"], registrar_did_);
  EXPECT_EQ(body["validUntil"], "2026-11-22T00:00:00Z");
  EXPECT_EQ(body["credentialSubject"]["type"], "BitstringStatusList");
  EXPECT_EQ(body["credentialSubject"]["statusPurpose"], "revocation");
}

TEST_F(CredentialsTest, ASuspensionSetsItsBitAtOnceAndItsEndClearsIt) {
  const size_t index = IndexOf(Get(CredentialKind::kMembership));
  EXPECT_FALSE(IsSet(StatusPurpose::kSuspension, index));

  ASSERT_THAT(registrar_.SetSuspended("maker", true), IsOk());
  EXPECT_TRUE(IsSet(StatusPurpose::kSuspension, index));
  EXPECT_FALSE(IsSet(StatusPurpose::kRevocation, index));

  ASSERT_THAT(registrar_.SetSuspended("maker", false), IsOk());
  EXPECT_FALSE(IsSet(StatusPurpose::kSuspension, index));
}

TEST_F(CredentialsTest, WhoLeavesIsRevokedAsWell) {
  const size_t index = IndexOf(Get(CredentialKind::kMembership));
  EXPECT_FALSE(IsSet(StatusPurpose::kRevocation, index));

  Leave("maker");

  EXPECT_TRUE(IsSet(StatusPurpose::kSuspension, index));
  EXPECT_TRUE(IsSet(StatusPurpose::kRevocation, index));
}

TEST_F(CredentialsTest, TheStatusListIsSignedAgainOnlyWhenItChangedOrIsOld) {
  const std::string first = StatusList(StatusPurpose::kSuspension);
  registrar_.clock.Advance(Credentials::kStatusFresh);
  (void)registrar_.StatusList();  // the federation's own list is signed every few seconds
  EXPECT_EQ(StatusList(StatusPurpose::kSuspension), first);

  registrar_.clock.Advance(absl::Seconds(1));
  EXPECT_NE(StatusList(StatusPurpose::kSuspension), first);
}

}  // namespace
}  // namespace tsunagi::identity
