#include "cli/receipt_check.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audit/journal.h"
#include "core/audit/merkle.h"
#include "core/audit/receipt.h"
#include "core/base/proto.h"
#include "core/crypto/digest.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/federation.h"
#include "tests/support/passport_node.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::cli {
namespace {

using testing::HasSubstr;
using testing::StatusIs;

// A provider with a log, and one release in it.
class ReceiptCheckTest : public ::testing::Test {
 protected:
  ReceiptCheckTest() {
    auto& participant = federation_.Add("oem");
    auto& key = *participant.add_keys();
    key.set_key_id(log_key_.id());
    key.set_purpose(identity::v1::KEY_PURPOSE_LOG);
    key.set_algorithm(log_key_.algorithm());
    key.set_public_key(log_key_.public_key().der());
    key.set_log_origin(kOrigin);
    *key.mutable_valid_from() = ToProto(clock_.Now() - absl::Minutes(30));
    journal_ = audit::Journal::Open(*store_, kOrigin, log_key_, random_).value();

    connector::v1::ReleasedContent content;
    content.mutable_battery()->set_manufacturer("did:web:battery.example:participants:cell-maker");
    content.mutable_battery()->set_serial("A1");
    content.add_obligations("delete-after-90-days");
    content_ = Encode(content);
    *record_.mutable_time() = ToProto(clock_.Now());
    auto& release = *record_.mutable_release();
    release.set_provider(federation_.DidOf("oem"));
    release.set_consumer(federation_.DidOf("dealer"));
    *release.mutable_battery() = content.battery();
    release.set_purpose("reuse-assessment");
    release.set_content_digest(crypto::Sha256(content_));
  }

  audit::v1::Receipt Receipt() {
    audit::Commit commit;
    commit.record = Encode(record_);
    const auto committed = journal_->SubmitAndWait(std::move(commit));
    EXPECT_TRUE(committed.ok()) << committed.status();
    const auto directory = federation_.MakeDirectory();
    identity::v1::Directory listed;
    EXPECT_TRUE(Decode(directory.directory().payload(), "directory", listed).ok());
    audit::v1::Receipt receipt;
    *receipt.mutable_proof() = committed->proof;
    *receipt.mutable_provider_entry() = listed.entries(1);
    for (const std::string& der : directory.chain()) receipt.add_directory_chain(der);
    receipt.set_content(content_);
    return receipt;
  }

  // The receipt of record `index` of a chunk of three.
  audit::v1::Receipt ChunkReceipt(uint32_t index) {
    connector::v1::ReleaseStreamResponse response;
    std::vector<audit::Digest> leaves;
    for (const char* serial : {"A1", "A2", "A3"}) {
      connector::v1::ReleasedContent content;
      content.mutable_battery()->set_manufacturer("did:web:battery.example:participants:cell-maker");
      content.mutable_battery()->set_serial(serial);
      response.add_contents(Encode(content));
      leaves.push_back(audit::LeafHash(response.contents().Get(response.contents_size() - 1)));
    }
    audit::v1::ChunkRecord chunk;
    // The record is a chunk's already when this is called again.
    *chunk.mutable_release() = record_.has_chunk() ? record_.chunk().release() : record_.release();
    chunk.mutable_release()->clear_battery();
    chunk.mutable_release()->clear_content_digest();
    chunk.set_merkle_root(audit::RootOf(leaves));
    chunk.set_record_count(3);
    *record_.mutable_chunk() = chunk;
    const audit::v1::Receipt whole = Receipt();
    audit::v1::Receipt receipt = audit::ReceiptOfRecord(whole.proof(), response.contents(), index).value();
    *receipt.mutable_provider_entry() = whole.provider_entry();
    *receipt.mutable_directory_chain() = whole.directory_chain();
    return receipt;
  }

  // Adds the registrar's cosignature and its entry.
  void AddCosignature(audit::v1::Receipt& receipt, const testing::TestRegistrar& registrar) {
    receipt.mutable_proof()->set_checkpoint(registrar.Cosign(receipt.proof().checkpoint()));
    *receipt.mutable_registrar_entry() = Entry(0);
  }
  common::v1::SignedEnvelope Entry(int place) {
    identity::v1::Directory listed;
    EXPECT_TRUE(Decode(federation_.MakeDirectory().directory().payload(), "directory", listed).ok());
    return listed.entries(place);
  }

  // Every fifth byte, which meets each place of base64's groups of four; the demo flips all of them.
  void ExpectThatAFlippedByteFails(const audit::v1::Receipt& receipt) {
    const std::string text = audit::ArmorReceipt(receipt);
    for (size_t i = 0; i < text.size(); i += 5) {
      std::string flipped = text;
      flipped[i] = static_cast<char>(flipped[i] ^ (i % 2 == 0 ? 1 : 4));
      EXPECT_FALSE(CheckReceipt(flipped, identity::PinnedBundle(federation_.root())).ok()) << "byte " << i;
    }
  }

  absl::StatusOr<CheckedReceipt> Check(const audit::v1::Receipt& receipt) {
    return CheckReceipt(audit::ArmorReceipt(receipt), identity::PinnedBundle(federation_.root()));
  }

  static constexpr char kOrigin[] = "oem.battery.example/node";
  testing::FakeClock clock_{absl::FromUnixSeconds(1790000000)};
  testing::FakeRandom random_;
  testing::TestFederation federation_{clock_};
  crypto::PrivateKey log_key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  std::unique_ptr<store::Store> store_ = store::NewMemoryStore();
  std::unique_ptr<audit::Journal> journal_;
  std::string content_;
  audit::v1::Record record_;
};

TEST_F(ReceiptCheckTest, TellsWhoReleasedWhatToWhom) {
  const auto checked = Check(Receipt());

  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->provider.label(), "oem");
  EXPECT_EQ(checked->federation, "battery.example");
  EXPECT_EQ(checked->release.consumer(), federation_.DidOf("dealer"));
  EXPECT_EQ(checked->origin, kOrigin);
  EXPECT_TRUE(checked->has_content);
}

TEST_F(ReceiptCheckTest, HoldsWithoutTheContentToo) {
  audit::v1::Receipt receipt = Receipt();
  receipt.clear_content();

  const auto checked = Check(receipt);

  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_FALSE(checked->has_content);
}

TEST_F(ReceiptCheckTest, AFlippedByteFails) { ExpectThatAFlippedByteFails(Receipt()); }

TEST_F(ReceiptCheckTest, AFlippedByteOfACosignedRecordOfAChunkFails) {
  const testing::TestRegistrar registrar(federation_, clock_);
  audit::v1::Receipt receipt = ChunkReceipt(1);
  AddCosignature(receipt, registrar);

  ASSERT_TRUE(Check(receipt).ok()) << Check(receipt).status();
  ExpectThatAFlippedByteFails(receipt);
}

TEST_F(ReceiptCheckTest, TellsWhichRecordOfAChunkWasReleased) {
  for (const uint32_t index : {0u, 1u, 2u}) {
    const auto checked = Check(ChunkReceipt(index));

    ASSERT_TRUE(checked.ok()) << checked.status();
    EXPECT_EQ(checked->release.battery().serial(), absl::StrCat("A", index + 1));
    EXPECT_EQ(checked->release.consumer(), federation_.DidOf("dealer"));
    EXPECT_TRUE(checked->has_content);
  }
}

TEST_F(ReceiptCheckTest, RefusesContentThatIsNotInTheChunk) {
  audit::v1::Receipt receipt = ChunkReceipt(1);
  receipt.set_content(ChunkReceipt(2).content());

  EXPECT_THAT(Check(receipt), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("place in the chunk")));
}

TEST_F(ReceiptCheckTest, RefusesARecordOfAChunkWithoutContent) {
  audit::v1::Receipt receipt = ChunkReceipt(1);
  receipt.clear_content();

  EXPECT_THAT(Check(receipt), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not inside")));
}

TEST_F(ReceiptCheckTest, RefusesAPlaceInAChunkForARelease) {
  audit::v1::Receipt with_index = Receipt();
  with_index.set_record_index(1);
  audit::v1::Receipt with_path = Receipt();
  with_path.add_record_path(std::string(32, 'x'));

  EXPECT_THAT(Check(with_index), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no place in a chunk")));
  EXPECT_THAT(Check(with_path), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no place in a chunk")));
}

TEST_F(ReceiptCheckTest, TellsWhenTheRegistrarCosigned) {
  const testing::TestRegistrar registrar(federation_, clock_);
  audit::v1::Receipt receipt = Receipt();
  AddCosignature(receipt, registrar);

  const auto checked = Check(receipt);

  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->cosigned_at, clock_.Now());
}

TEST_F(ReceiptCheckTest, RefusesACosignatureThatAnotherMade) {
  const testing::TestRegistrar registrar(federation_, clock_);
  audit::v1::Receipt receipt = Receipt();
  const std::string note = receipt.proof().checkpoint();
  AddCosignature(receipt, registrar);
  const auto witness = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  receipt.mutable_proof()->set_checkpoint(
      audit::Cosign(note, "registrar.battery.example", witness, clock_.Now()).value());

  EXPECT_FALSE(Check(receipt).ok());
}

TEST_F(ReceiptCheckTest, RefusesARegistrarWhoIsNone) {
  const testing::TestRegistrar registrar(federation_, clock_);
  audit::v1::Receipt receipt = Receipt();
  AddCosignature(receipt, registrar);
  *receipt.mutable_registrar_entry() = Entry(1);

  EXPECT_THAT(Check(receipt), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("another participant")));
}

TEST_F(ReceiptCheckTest, RefusesAKeyOfTheRegistrarThatDidNotCountYet) {
  const testing::TestRegistrar registrar(federation_, clock_);
  audit::v1::Receipt receipt = Receipt();
  const std::string note = receipt.proof().checkpoint();
  clock_.Advance(-absl::Hours(2));
  receipt.mutable_proof()->set_checkpoint(registrar.Cosign(note));
  clock_.Advance(absl::Hours(2));
  *receipt.mutable_registrar_entry() = Entry(0);

  EXPECT_THAT(Check(receipt), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("did not count")));
}

TEST_F(ReceiptCheckTest, RefusesARegistrarsEntryWithoutItsCosignature) {
  audit::v1::Receipt receipt = Receipt();
  *receipt.mutable_registrar_entry() = Entry(0);

  EXPECT_THAT(Check(receipt), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("signature line")));
}

TEST_F(ReceiptCheckTest, DoesNotBelieveAnotherRoot) {
  testing::TestFederation other(clock_);

  EXPECT_THAT(CheckReceipt(audit::ArmorReceipt(Receipt()), identity::PinnedBundle(other.root())),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("certificates of the directory key")));
}

TEST_F(ReceiptCheckTest, RefusesAnEntryThatTheStatusKeySigned) {
  audit::v1::Receipt receipt = Receipt();
  receipt.mutable_directory_chain(0)->assign(federation_.MakeStatusList().chain(0));

  EXPECT_THAT(Check(receipt),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not signed by a directory key")));
}

TEST_F(ReceiptCheckTest, RefusesADirectoryKeyThatTheIssuingCaCertified) {
  const testing::TestCredential forged = federation_.Issue({identity::DirectoryUri("battery.example")}, {});
  const auto key = crypto::PrivateKey::FromPem(forged.key_pem).value();
  audit::v1::Receipt receipt = Receipt();
  *receipt.mutable_provider_entry() =
      crypto::Sign(key, identity::kParticipantPayload, receipt.provider_entry().payload());
  receipt.clear_directory_chain();
  const auto chain = crypto::ParseCertificatesPem(forged.chain_pem).value();
  for (const crypto::Certificate& certificate : chain) {
    receipt.add_directory_chain(certificate.der);
  }

  EXPECT_THAT(Check(receipt), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("expected one certificate")));
  receipt.mutable_directory_chain()->RemoveLast();
  EXPECT_THAT(Check(receipt), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(ReceiptCheckTest, RefusesTheEntryOfAnotherParticipant) {
  federation_.Add("workshop");
  audit::v1::Receipt receipt = Receipt();
  identity::v1::Directory listed;
  ASSERT_TRUE(Decode(federation_.MakeDirectory().directory().payload(), "directory", listed).ok());
  *receipt.mutable_provider_entry() = listed.entries(2);

  EXPECT_THAT(Check(receipt), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not one of the provider's")));
}

TEST_F(ReceiptCheckTest, RefusesARecordOfAnotherProviderInTheOwnLog) {
  record_.mutable_release()->set_provider(federation_.DidOf("workshop"));

  EXPECT_THAT(Check(Receipt()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("another provider")));
}

TEST_F(ReceiptCheckTest, RefusesALogKeyThatDidNotCountYet) {
  *record_.mutable_time() = ToProto(clock_.Now() - absl::Minutes(45));

  EXPECT_THAT(Check(Receipt()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no key of the log")));
}

TEST_F(ReceiptCheckTest, RefusesOtherContent) {
  audit::v1::Receipt receipt = Receipt();
  connector::v1::ReleasedContent content;
  content.mutable_battery()->set_serial("A2");
  receipt.set_content(Encode(content));

  EXPECT_THAT(Check(receipt),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("content is not what the record names")));
}

TEST_F(ReceiptCheckTest, RefusesASignatureLineThatItCannotCheck) {
  const auto witness = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  audit::v1::Receipt receipt = Receipt();
  const auto note =
      audit::Cosign(receipt.proof().checkpoint(), "registrar.battery.example", witness, clock_.Now());
  ASSERT_TRUE(note.ok()) << note.status();
  receipt.mutable_proof()->set_checkpoint(*note);

  EXPECT_THAT(Check(receipt), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("signature line")));
}

TEST_F(ReceiptCheckTest, ARecordThatIsNoReleaseIsNoReceipt) {
  record_.mutable_policy()->set_version(1);

  EXPECT_THAT(Check(Receipt()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no release and no chunk")));
}

}  // namespace
}  // namespace tsunagi::cli
