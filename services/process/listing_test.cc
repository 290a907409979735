#include "services/process/listing.h"

#include "core/crypto/envelope.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/names.h"
#include "tests/support/fake_random.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::process {
namespace {

using testing::IsOk;

constexpr char kDid[] = "did:web:battery.example:participants:oem";

class ListingTest : public ::testing::Test {
 protected:
  identity::v1::ListKeysRequest Listing(const std::string& address = "127.0.0.1:7443") const {
    return ListingOf(keys_, kDid, "oem.battery.example/node", "node", address);
  }
  identity::v1::Participant Listed() const {
    identity::v1::Participant participant;
    *participant.mutable_keys() = Listing().keys();
    *participant.mutable_endpoints() = Listing().endpoints();
    return participant;
  }

  const testing::TempDir dir_;
  testing::FakeRandom random_;
  const Keys keys_ = LoadKeys(dir_.path(), dir_.path(), random_).value();
};

TEST_F(ListingTest, ProvesPossessionOfEachKey) {
  const identity::v1::ListKeysRequest listing = Listing();

  ASSERT_EQ(listing.keys_size(), 2);
  ASSERT_EQ(listing.proofs_size(), 2);
  EXPECT_THAT(crypto::Verify(listing.proofs(0), identity::kKeyPossessionPayload, keys_.signing.public_key()),
              IsOk());
  EXPECT_THAT(crypto::Verify(listing.proofs(1), identity::kKeyPossessionPayload, keys_.log.public_key()),
              IsOk());
  EXPECT_EQ(listing.proofs(0).payload(), kDid);
  EXPECT_EQ(listing.keys(0).log_origin(), "");
  EXPECT_EQ(listing.keys(1).log_origin(), "oem.battery.example/node");
}

TEST_F(ListingTest, IsDoneWhenTheDirectoryHasAllOfIt) {
  EXPECT_TRUE(IsListed(Listed(), Listing()));
  EXPECT_FALSE(IsListed(identity::v1::Participant(), Listing()));
}

TEST_F(ListingTest, IsDueAgainWhenTheAddressChanged) {
  EXPECT_FALSE(IsListed(Listed(), Listing("127.0.0.1:7444")));
}

TEST_F(ListingTest, IsDueWhenAKeyIsMissing) {
  identity::v1::Participant participant = Listed();
  participant.mutable_keys()->RemoveLast();

  EXPECT_FALSE(IsListed(participant, Listing()));
}

}  // namespace
}  // namespace tsunagi::process
