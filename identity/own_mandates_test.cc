#include "identity/own_mandates.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/mandates.h"
#include "identity/registrar_for_test.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

constexpr char kId[] = "00000000-0000-4000-8000-000000000001";

// The registrar in this program, which can be away.
class NearRegistry final : public MandateRegistryPort {
 public:
  explicit NearRegistry(RegistrarForTest& registrar) : registrar_(registrar) {}

  absl::Status FileMandate(const v1::FileMandateRequest& request) override {
    if (away) return absl::UnavailableError("away");
    return WaitFor<v1::FileMandateResponse>([&](auto done) {
             registrar_.registrar->mandates().FileMandate(RegistrarForTest::CallerOf("maker"), request,
                                                          std::move(done));
           })
        .status();
  }
  absl::Status FileRevocation(const v1::FileRevocationRequest& request) override {
    if (away) return absl::UnavailableError("away");
    return WaitFor<v1::FileRevocationResponse>([&](auto done) {
             registrar_.registrar->mandates().FileRevocation(RegistrarForTest::CallerOf("maker"), request,
                                                             std::move(done));
           })
        .status();
  }

  bool away = false;

 private:
  RegistrarForTest& registrar_;
};

class OwnMandatesTest : public ::testing::Test {
 protected:
  OwnMandatesTest() {
    registrar_.Register("maker");
    registrar_.Register("agency");
    v1::ListKeysRequest request;
    RegistrarForTest::AddKey(key_, v1::KEY_PURPOSE_SIGNING, "", RegistrarForTest::DidOf("maker"), request);
    (void)registrar_.ListKeys(RegistrarForTest::CallerOf("maker"), request).value();
    registrar_.clock.Advance(absl::Minutes(1));
  }

  static v1::GrantMandateRequest Request(const std::string& id = kId) {
    v1::GrantMandateRequest request;
    request.set_request_id(id);
    request.set_holder("agency");
    request.add_scopes(std::string(kScopePolicy));
    request.set_ttl_seconds(3600);
    return request;
  }
  absl::StatusOr<v1::GrantMandateResponse> Grant(const v1::GrantMandateRequest& request = Request()) {
    return own_.Grant(operator_, request);
  }
  absl::StatusOr<v1::RevokeMandateResponse> Revoke(const std::string& id = kId) {
    v1::RevokeMandateRequest request;
    request.set_id(id);
    return own_.Revoke(operator_, request);
  }
  std::vector<v1::ListedMandate> List(OwnMandates& of) {
    const auto response = of.List({}).value();
    return {response.mandates().begin(), response.mandates().end()};
  }
  // What the directory says of the maker's mandates.
  std::vector<CheckedMandate> InDirectory() {
    return registrar_.registrar->trust().View()->Find("maker").value()->mandates;
  }
  std::vector<audit::v1::MandateRecord> Records() const {
    std::vector<audit::v1::MandateRecord> records;
    const std::vector<audit::Journal::Leaf> leaves = journal_->Leaves(0, 1000).value();
    for (const audit::Journal::Leaf& leaf : leaves) {
      audit::v1::Record record;
      EXPECT_TRUE(record.ParseFromString(leaf.record));
      records.push_back(record.mandate());
    }
    return records;
  }
  OwnMandatesContext ContextOf(const std::string& label, audit::Journal& journal) {
    return {journal,   registrar_.registrar->trust(), key_, registrar_.clock, revoked_,
            registry_, RegistrarForTest::DidOf(label)};
  }

  RegistrarForTest registrar_;
  const testing::TempDir folder_;
  const crypto::PrivateKey key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const crypto::PrivateKey log_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  const std::unique_ptr<store::Store> store_ = store::NewMemoryStore();
  const std::unique_ptr<audit::Journal> journal_ =
      audit::Journal::Open(*store_, LogOrigin("node", "maker", kFederation), log_, registrar_.random).value();
  RevokedMandates revoked_{folder_.path()};
  NearRegistry registry_{registrar_};
  OwnMandates own_{ContextOf("maker", *journal_)};
  const Caller operator_ = RegistrarForTest::CallerOf("maker", "operator");
};

TEST_F(OwnMandatesTest, GrantsWhatTheDirectoryThenListsWithOneLeaf) {
  const auto granted = Grant();

  ASSERT_THAT(granted, IsOk());
  EXPECT_TRUE(granted->filed());
  EXPECT_EQ(granted->mandate().holder(), RegistrarForTest::DidOf("agency"));
  ASSERT_THAT(InDirectory(), SizeIs(1));
  EXPECT_EQ(InDirectory()[0].valid_until - InDirectory()[0].valid_from, absl::Hours(1));
  ASSERT_THAT(Records(), SizeIs(1));
  EXPECT_EQ(Records()[0].act(), "granted");
  EXPECT_EQ(Records()[0].mandate(), kId);
  EXPECT_EQ(Records()[0].holder(), RegistrarForTest::DidOf("agency"));
  EXPECT_THAT(Records()[0].scopes(), ElementsAre(kScopePolicy));
}

TEST_F(OwnMandatesTest, GrantsForAYearUnlessToldOtherwise) {
  v1::GrantMandateRequest request = Request();
  request.clear_ttl_seconds();
  ASSERT_THAT(Grant(request), IsOk());

  EXPECT_EQ(InDirectory().at(0).valid_until - InDirectory().at(0).valid_from, absl::Hours(365 * 24));
}

TEST_F(OwnMandatesTest, GivesTheSameMandateForTheSameRequest) {
  const auto first = Grant();
  registrar_.clock.Advance(absl::Minutes(1));
  const auto again = Grant();

  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(Encode(again->mandate()), Encode(first->mandate()));
  EXPECT_THAT(Records(), SizeIs(1));
  v1::GrantMandateRequest wider = Request();
  wider.add_scopes(std::string(kScopeErase));
  EXPECT_THAT(Grant(wider), StatusIs(kAlreadyExists, HasSubstr(kId)));
  v1::GrantMandateRequest longer = Request();
  longer.set_ttl_seconds(3601);
  EXPECT_THAT(Grant(longer), StatusIs(kAlreadyExists));
}

TEST_F(OwnMandatesTest, RefusesWrongRequestsWithoutALeaf) {
  EXPECT_THAT(Grant(Request("1")), StatusIs(kInvalidArgument, HasSubstr("request_id")));
  v1::GrantMandateRequest request = Request();
  request.set_holder("nobody");
  EXPECT_THAT(Grant(request), StatusIs(kNotFound, HasSubstr("nobody")));
  request.set_holder("maker");
  EXPECT_THAT(Grant(request), StatusIs(kInvalidArgument, HasSubstr("another participant")));
  request = Request();
  request.add_scopes("operations");
  EXPECT_THAT(Grant(request), StatusIs(kInvalidArgument, HasSubstr("operations")));
  request = Request();
  request.set_ttl_seconds(UINT64_MAX);
  EXPECT_THAT(Grant(request), StatusIs(kInvalidArgument, HasSubstr("5 years")));

  EXPECT_THAT(Records(), IsEmpty());
}

TEST_F(OwnMandatesTest, GrantsNothingWithAKeyThatTheDirectoryDoesNotList) {
  const crypto::PrivateKey unlisted = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  OwnMandates fresh({*journal_, registrar_.registrar->trust(), unlisted, registrar_.clock, revoked_,
                     registry_, RegistrarForTest::DidOf("maker")});

  EXPECT_THAT(fresh.Grant(operator_, Request()), StatusIs(kFailedPrecondition, HasSubstr("signing key")));
  EXPECT_THAT(Records(), IsEmpty());
}

TEST_F(OwnMandatesTest, FilesAtUpkeepWhatItCouldNotFile) {
  registry_.away = true;
  const auto granted = Grant();
  ASSERT_THAT(granted, IsOk());
  EXPECT_FALSE(granted->filed());
  EXPECT_FALSE(List(own_).at(0).listed());
  own_.FileWaiting();
  EXPECT_THAT(InDirectory(), IsEmpty());

  registry_.away = false;
  own_.FileWaiting();

  EXPECT_THAT(InDirectory(), SizeIs(1));
  EXPECT_TRUE(List(own_).at(0).listed());
}

TEST_F(OwnMandatesTest, ForgetsWhatTheRegistrarRefusesForGood) {
  ASSERT_THAT(registrar_.SetSuspended("agency", true), IsOk());
  EXPECT_THAT(Grant(), StatusIs(kFailedPrecondition, HasSubstr("suspended")));
  EXPECT_THAT(List(own_), IsEmpty());

  ASSERT_THAT(registrar_.SetSuspended("agency", false), IsOk());
  own_.FileWaiting();
  EXPECT_THAT(InDirectory(), IsEmpty());
  EXPECT_THAT(Grant(), IsOk());
}

TEST_F(OwnMandatesTest, RevokesAtOnceHereAndInTheDirectory) {
  ASSERT_THAT(Grant(), IsOk());
  const auto revoked = Revoke();

  ASSERT_THAT(revoked, IsOk());
  EXPECT_TRUE(revoked->filed());
  EXPECT_TRUE(revoked_.Contains(kId));
  EXPECT_TRUE(InDirectory().at(0).revoked_at.has_value());
  ASSERT_THAT(Records(), SizeIs(2));
  EXPECT_EQ(Records()[1].act(), "revoked");
  EXPECT_EQ(Records()[1].mandate(), kId);
  EXPECT_THAT(Revoke(), IsOk());
  EXPECT_THAT(Records(), SizeIs(2));
}

TEST_F(OwnMandatesTest, RevokesAtOnceHereWhileTheRegistrarIsAway) {
  ASSERT_THAT(Grant(), IsOk());
  registry_.away = true;
  const auto revoked = Revoke();

  ASSERT_THAT(revoked, IsOk());
  EXPECT_FALSE(revoked->filed());
  EXPECT_TRUE(revoked_.Contains(kId));
  EXPECT_TRUE(List(own_).at(0).has_revoked_at());
  EXPECT_FALSE(List(own_).at(0).listed());
  EXPECT_FALSE(InDirectory().at(0).revoked_at.has_value());

  registry_.away = false;
  own_.FileWaiting();

  EXPECT_TRUE(InDirectory().at(0).revoked_at.has_value());
  EXPECT_TRUE(List(own_).at(0).listed());
}

TEST_F(OwnMandatesTest, FilesNoMandateThatWasRevokedBeforeItWasFiled) {
  registry_.away = true;
  ASSERT_THAT(Grant(), IsOk());
  ASSERT_THAT(Revoke(), IsOk());
  registry_.away = false;
  own_.FileWaiting();

  EXPECT_THAT(InDirectory(), IsEmpty());
  EXPECT_TRUE(Revoke()->filed());
}

TEST_F(OwnMandatesTest, RevokesWhatWasGrantedWithAnotherStore) {
  ASSERT_THAT(Grant(), IsOk());
  const std::unique_ptr<store::Store> store = store::NewMemoryStore();
  const auto journal =
      audit::Journal::Open(*store, LogOrigin("node", "maker", kFederation), log_, registrar_.random).value();
  OwnMandates restored(ContextOf("maker", *journal));
  v1::RevokeMandateRequest request;
  request.set_id(kId);

  ASSERT_THAT(restored.Revoke(operator_, request), IsOk());
  EXPECT_TRUE(InDirectory().at(0).revoked_at.has_value());
}

TEST_F(OwnMandatesTest, RevokesOnlyItsOwn) {
  ASSERT_THAT(Grant(), IsOk());

  EXPECT_THAT(Revoke("00000000-0000-4000-8000-000000000002"), StatusIs(kNotFound));
  EXPECT_THAT(Revoke("1"), StatusIs(kInvalidArgument));
  EXPECT_FALSE(revoked_.Contains("00000000-0000-4000-8000-000000000002"));
}

TEST_F(OwnMandatesTest, ListsThoseGrantedAndThoseHeldInPages) {
  for (const char last : {'1', '2', '3'}) {
    std::string id = kId;
    id.back() = last;
    ASSERT_THAT(Grant(Request(id)), IsOk());
  }
  v1::ListMandatesRequest request;
  request.set_page_size(2);
  const auto page = own_.List(request);
  ASSERT_THAT(page, IsOk());
  ASSERT_EQ(page->mandates_size(), 2);
  EXPECT_EQ(page->mandates(0).mandate().id(), kId);
  request.set_page_token(page->next_page_token());
  const auto rest = own_.List(request);
  ASSERT_EQ(rest->mandates_size(), 1);
  EXPECT_EQ(rest->next_page_token(), "");
  request.set_page_size(1001);
  EXPECT_THAT(own_.List(request), StatusIs(kInvalidArgument));

  const std::unique_ptr<store::Store> store = store::NewMemoryStore();
  const auto journal =
      audit::Journal::Open(*store, LogOrigin("node", "agency", kFederation), log_, registrar_.random).value();
  OwnMandates agency(ContextOf("agency", *journal));
  ASSERT_THAT(List(agency), SizeIs(3));
  EXPECT_EQ(List(agency)[0].mandate().grantor(), RegistrarForTest::DidOf("maker"));
}

}  // namespace
}  // namespace tsunagi::identity
