#include "identity/public_documents.h"

#include "core/base/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/entries.h"
#include "identity/registrar_for_test.h"
#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;
using nlohmann::json;

class PublicDocumentsTest : public ::testing::Test {
 protected:
  json KeySet() { return json::parse(TokenKeySet(registrar_.registrar->context()).value())["keys"]; }
  json Document(absl::string_view label) {
    return json::parse(DidDocument(registrar_.registrar->context(), label).value());
  }
  static std::vector<std::string> KeyIds(const json& keys) {
    std::vector<std::string> ids;
    for (const json& key : keys) ids.push_back(key["kid"]);
    return ids;
  }
  // Lists a new signing key for the participant.
  std::string ListKey(const std::string& label) {
    const auto key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
    v1::ListKeysRequest request;
    RegistrarForTest::AddKey(key, v1::KEY_PURPOSE_SIGNING, "", RegistrarForTest::DidOf(label), request);
    v1::Endpoint& endpoint = *request.add_endpoints();
    endpoint.set_process("node");
    endpoint.set_address("node.maker.example:7443");
    EXPECT_THAT(registrar_.ListKeys(RegistrarForTest::CallerOf(label), request), IsOk());
    return key.id();
  }
  // Changes an entry at rest, as what ends keys or memberships would.
  void Change(const std::string& label, const std::function<void(StoredParticipant&)>& change) {
    StoredParticipant entry = LoadEntry(registrar_.journal->store(), label).value();
    change(entry);
    audit::Commit commit;
    commit.writes = {store::Put(store::Table::kState, EntryKey(label), Encode(entry))};
    commit.record = "test";
    ASSERT_THAT(registrar_.journal->SubmitAndWait(std::move(commit)), IsOk());
  }

  RegistrarForTest registrar_;
};

TEST_F(PublicDocumentsTest, TheKeySetHasTheTokenKeyAndNoOther) {
  const json keys = KeySet();

  ASSERT_EQ(keys.size(), 1u);
  const std::string point = registrar_.authority.token.public_key().P256Point();
  EXPECT_EQ(keys[0], (json{{"kty", "EC"},
                           {"crv", "P-256"},
                           {"use", "sig"},
                           {"alg", "ES256"},
                           {"kid", registrar_.authority.token.id()},
                           {"x", ToBase64Url(point.substr(0, 32))},
                           {"y", ToBase64Url(point.substr(32))}}));
}

TEST_F(PublicDocumentsTest, TheKeySetHasTwoKeysWhileTheyRollAndDropsWhatHasEnded) {
  const std::string old = registrar_.authority.token.id();
  Authority rolled = registrar_.authority;
  rolled.token = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  AuthorityInUse in_use(rolled);
  const RegistrarContext& context = registrar_.registrar->context();
  const auto second =
      Registrar::Open({context.journal, in_use, context.clock, context.random, context.options}).value();
  const auto key_ids = [&] { return KeyIds(json::parse(TokenKeySet(second->context()).value())["keys"]); };

  EXPECT_THAT(key_ids(), UnorderedElementsAre(old, rolled.token.id()));

  Change("registrar", [&](StoredParticipant& entry) {
    for (v1::ParticipantKey& key : *entry.mutable_participant()->mutable_keys()) {
      if (key.key_id() == old) *key.mutable_valid_until() = ToProto(registrar_.clock.Now() + absl::Hours(1));
    }
  });
  EXPECT_THAT(key_ids(), UnorderedElementsAre(old, rolled.token.id()));
  registrar_.clock.Advance(absl::Hours(1));
  EXPECT_THAT(key_ids(), ElementsAre(rolled.token.id()));
}

TEST_F(PublicDocumentsTest, ADidDocumentHasTheParticipantsKeysAndEndpoints) {
  registrar_.Register("maker");
  const std::string key = ListKey("maker");

  const json document = Document("maker");

  const std::string did = "did:web:did.example:participants:maker";
  EXPECT_EQ(document["id"], did);
  ASSERT_EQ(document["verificationMethod"].size(), 1u);
  const json& method = document["verificationMethod"][0];
  EXPECT_EQ(method["id"], did + "#" + key);
  EXPECT_EQ(method["type"], "JsonWebKey2020");
  EXPECT_EQ(method["controller"], did);
  EXPECT_EQ(method["publicKeyJwk"]["crv"], "P-256");
  EXPECT_EQ(document["assertionMethod"], json({did + "#" + key}));
  EXPECT_EQ(document["authentication"], json({did + "#" + key}));
  EXPECT_EQ(document["service"][0]["id"], did + "#node");
  EXPECT_EQ(document["service"][0]["serviceEndpoint"], "https://node.maker.example:7443");
}

TEST_F(PublicDocumentsTest, TheRegistrarHasADidDocumentWithEachOfItsSigningKeys) {
  const json document = Document("registrar");

  const std::string did = "did:web:did.example:participants:registrar#";
  const Authority& authority = registrar_.authority;
  EXPECT_EQ(document["assertionMethod"], json({did + authority.token.id(), did + authority.approval.id(),
                                               did + authority.credential.id()}));
}

TEST_F(PublicDocumentsTest, AnOldKeyStaysButDoesNothingNew) {
  registrar_.Register("maker");
  const std::string key = ListKey("maker");
  Change("maker", [&](StoredParticipant& entry) {
    *entry.mutable_participant()->mutable_keys(0)->mutable_valid_until() = ToProto(registrar_.clock.Now());
  });

  const json document = Document("maker");

  EXPECT_EQ(document["verificationMethod"].size(), 1u);
  EXPECT_THAT(document["assertionMethod"], IsEmpty());
  EXPECT_THAT(document["authentication"], IsEmpty());
}

TEST_F(PublicDocumentsTest, AKeyOfTheFutureDoesNothingYet) {
  registrar_.Register("maker");
  ListKey("maker");
  registrar_.clock.Advance(-absl::Hours(1));

  EXPECT_THAT(Document("maker")["authentication"], IsEmpty());
}

TEST_F(PublicDocumentsTest, WhoIsSuspendedOrLeftKeepsItsDocumentWithoutAuthentication) {
  for (const char* label : {"maker", "dealer"}) {
    registrar_.Register(label);
    ListKey(label);
  }
  ASSERT_THAT(registrar_.SetSuspended("maker", true), IsOk());
  Change("dealer", [](StoredParticipant& entry) {
    entry.mutable_participant()->set_state(v1::PARTICIPANT_STATE_LEFT);
  });

  for (const char* label : {"maker", "dealer"}) {
    const json document = Document(label);
    EXPECT_EQ(document["verificationMethod"].size(), 1u) << label;
    EXPECT_EQ(document["assertionMethod"].size(), 1u) << label;
    EXPECT_THAT(document["authentication"], IsEmpty()) << label;
  }
}

TEST_F(PublicDocumentsTest, NothingIsSaidOfWhoIsUnknownOrHostedElsewhere) {
  v1::Participant elsewhere = RegistrarForTest::Named("elsewhere");
  elsewhere.set_did("did:web:elsewhere.example");
  ASSERT_THAT(registrar_.TryRegister(elsewhere), IsOk());

  for (const char* label : {"elsewhere", "nobody", "", "..", "MAKER", "maker/x"}) {
    EXPECT_THAT(DidDocument(registrar_.registrar->context(), label),
                StatusIs(kNotFound, "no such DID document here"))
        << label;
  }
}

}  // namespace
}  // namespace tsunagi::identity
