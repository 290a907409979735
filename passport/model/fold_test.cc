#include "passport/model/fold.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/proto.h"
#include "core/crypto/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tsunagi::passport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kMaker[] = "did:web:battery.example:participants:cell-maker";
constexpr char kOem[] = "did:web:battery.example:participants:oem";
constexpr char kShop[] = "did:web:battery.example:participants:workshop";

// Makes chained events of several authors about one battery.
class Chains {
 public:
  VerifiedEvent& Add(const std::string& author, v1::EventType type, int day, v1::PartKind kind,
                     const std::string& content) {
    VerifiedEvent& event = events_.emplace_back();
    event.header.set_type(type);
    event.header.mutable_subject()->set_manufacturer(kMaker);
    event.header.mutable_subject()->set_serial("M-1");
    event.header.set_author(author);
    event.header.set_sequence(++sequence_[author]);
    event.header.set_previous_digest(last_[author]);
    *event.header.mutable_occurred_at() = ToProto(absl::FromUnixSeconds(1'700'000'000 + day * 86'400));
    event.digest = crypto::Sha256(absl::StrCat(author, " ", event.header.sequence(), " ", content));
    last_[author] = event.digest;
    if (type == v1::EVENT_TYPE_REGISTERED && registered_.empty()) registered_ = event.digest;
    if (type == v1::EVENT_TYPE_AMENDMENT_PROPOSED) event.header.set_refers_to(registered_);
    event.parts.push_back({kind, content, false, 0});
    return event;
  }
  VerifiedEvent& Approve(const VerifiedEvent& proposal, int day) {
    const crypto::Digest digest = proposal.digest;
    VerifiedEvent& event = Add(kMaker, v1::EVENT_TYPE_AMENDMENT_APPROVED, day, v1::PART_KIND_UNSPECIFIED, "");
    event.parts.clear();
    event.header.set_refers_to(digest);
    event.approved = true;
    return event;
  }
  std::vector<VerifiedEvent>& events() { return events_; }

 private:
  std::vector<VerifiedEvent> events_ = [] {
    std::vector<VerifiedEvent> events;
    events.reserve(64);  // references stay valid
    return events;
  }();
  std::map<std::string, uint64_t> sequence_;
  std::map<std::string, crypto::Digest> last_;
  crypto::Digest registered_;
};

std::string Children(const std::vector<std::string>& serials) {
  v1::StructurePart part;
  for (const std::string& serial : serials) {
    part.add_children()->set_manufacturer(kMaker);
    part.mutable_children(part.children_size() - 1)->set_serial(serial);
  }
  return Encode(part);
}

// Contents with this standing, in order.
std::vector<std::string> With(const Folded& folded, Standing standing) {
  std::vector<std::string> contents;
  for (const FoldedStatement& statement : folded.statements) {
    if (statement.standing == standing) contents.push_back(statement.content);
  }
  return contents;
}

TEST(FoldTest, TakesIdentityFromTheManufacturerOnly) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_IDENTITY, "true");
  chains.Add(kShop, v1::EVENT_TYPE_REGISTERED, 2, v1::PART_KIND_IDENTITY, "forged");

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("true"));
  EXPECT_THAT(With(folded, Standing::kNotTaken), ElementsAre("forged"));
  EXPECT_THAT(folded.statements[1].note, HasSubstr("neither the manufacturer"));
}

TEST(FoldTest, TakesFactsOfASuccessorAfterThoseOfItsPredecessor) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_MATERIALS, "made");
  chains.Add(kMaker, v1::EVENT_TYPE_AMENDMENT_PROPOSED, 2, v1::PART_KIND_MATERIALS, "corrected");
  chains.Add(kOem, v1::EVENT_TYPE_AMENDMENT_PROPOSED, 3, v1::PART_KIND_MATERIALS, "taken over");
  chains.Add(kShop, v1::EVENT_TYPE_REGISTERED, 4, v1::PART_KIND_MATERIALS, "again");

  const Folded folded = Fold(chains.events(), {kOem, kShop});

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("taken over"));
  EXPECT_THAT(With(folded, Standing::kHistory), ElementsAre("made", "corrected"));
  EXPECT_THAT(With(folded, Standing::kNotTaken), ElementsAre("again"));  // no successor registers it anew
}

TEST(FoldTest, TakesNoFactsOfOneThatTookOverFromAnother) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_MATERIALS, "made");
  chains.Add(kShop, v1::EVENT_TYPE_AMENDMENT_PROPOSED, 2, v1::PART_KIND_MATERIALS, "forged");

  const Folded folded = Fold(chains.events(), {kOem});

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("made"));
  EXPECT_THAT(With(folded, Standing::kNotTaken), ElementsAre("forged"));
}

TEST(FoldTest, LetsNobodyRewriteARegistration) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_IDENTITY, "first");
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 2, v1::PART_KIND_IDENTITY, "second");

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("first"));
  EXPECT_THAT(With(folded, Standing::kNotTaken), ElementsAre("second"));
}

TEST(FoldTest, KeepsTheOldValueUntilTheRegistrarApproves) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_IDENTITY, "old");
  chains.Add(kMaker, v1::EVENT_TYPE_AMENDMENT_PROPOSED, 2, v1::PART_KIND_IDENTITY, "new");

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("old"));
  EXPECT_THAT(With(folded, Standing::kNotTaken), ElementsAre("new"));
  EXPECT_THAT(folded.warnings, ElementsAre(HasSubstr("is not approved by the registrar")));
}

TEST(FoldTest, TakesCorrectedMaterialsFromTheManufacturerWithoutAnApproval) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_MATERIALS, "old");
  chains.Add(kMaker, v1::EVENT_TYPE_AMENDMENT_PROPOSED, 2, v1::PART_KIND_MATERIALS, "new");
  chains.Add(kShop, v1::EVENT_TYPE_AMENDMENT_PROPOSED, 3, v1::PART_KIND_MATERIALS, "forged");

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("new"));
  EXPECT_THAT(With(folded, Standing::kHistory), ElementsAre("old"));
  EXPECT_THAT(With(folded, Standing::kNotTaken), ElementsAre("forged"));
  EXPECT_THAT(folded.warnings, IsEmpty());
}

TEST(FoldTest, AppliesAnApprovedAmendmentAndKeepsTheOldValueInHistory) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_IDENTITY, "old");
  const VerifiedEvent& proposal =
      chains.Add(kMaker, v1::EVENT_TYPE_AMENDMENT_PROPOSED, 2, v1::PART_KIND_IDENTITY, "new");
  chains.Approve(proposal, 3);

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("new"));
  EXPECT_THAT(With(folded, Standing::kHistory), ElementsAre("old"));
  EXPECT_THAT(folded.warnings, IsEmpty());
}

TEST(FoldTest, TakesNoCorrectionOfAnotherRegistration) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_IDENTITY, "old");
  VerifiedEvent& proposal =
      chains.Add(kMaker, v1::EVENT_TYPE_AMENDMENT_PROPOSED, 2, v1::PART_KIND_IDENTITY, "new");
  proposal.header.set_refers_to(crypto::Sha256("what the registrar was shown as the old value"));
  chains.Approve(proposal, 3);

  EXPECT_THAT(With(Fold(chains.events()), Standing::kCurrent), ElementsAre("old"));
}

TEST(FoldTest, IgnoresAnApprovalWhoseSignatureIsNotValid) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_IDENTITY, "old");
  const VerifiedEvent& proposal =
      chains.Add(kMaker, v1::EVENT_TYPE_AMENDMENT_PROPOSED, 2, v1::PART_KIND_IDENTITY, "new");
  chains.Approve(proposal, 3).approved = false;

  EXPECT_THAT(With(Fold(chains.events()), Standing::kCurrent), ElementsAre("old"));
}

TEST(FoldTest, IgnoresAnotherPartysApproval) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_IDENTITY, "old");
  const VerifiedEvent& proposal =
      chains.Add(kMaker, v1::EVENT_TYPE_AMENDMENT_PROPOSED, 2, v1::PART_KIND_IDENTITY, "new");
  chains.Approve(proposal, 3).header.set_author(kShop);

  EXPECT_THAT(With(Fold(chains.events()), Standing::kCurrent), ElementsAre("old"));
}

TEST(FoldTest, TakesTheLastOfTwoApprovedAmendments) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_MATERIALS, "a");
  const VerifiedEvent& b =
      chains.Add(kMaker, v1::EVENT_TYPE_AMENDMENT_PROPOSED, 2, v1::PART_KIND_MATERIALS, "b");
  chains.Approve(b, 3);
  const VerifiedEvent& c =
      chains.Add(kMaker, v1::EVENT_TYPE_AMENDMENT_PROPOSED, 4, v1::PART_KIND_MATERIALS, "c");
  chains.Approve(c, 5);

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("c"));
  EXPECT_THAT(With(folded, Standing::kHistory), ElementsAre("a", "b"));
}

TEST(FoldTest, ShowsTheLatestMeasurementOfEachAuthor) {
  Chains chains;
  chains.Add(kShop, v1::EVENT_TYPE_CONDITION_MEASURED, 5, v1::PART_KIND_CONDITION, "shop 5");
  chains.Add(kShop, v1::EVENT_TYPE_CONDITION_MEASURED, 3, v1::PART_KIND_CONDITION, "shop 3");
  chains.Add(kOem, v1::EVENT_TYPE_CONDITION_MEASURED, 4, v1::PART_KIND_CONDITION, "oem 4");

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("oem 4", "shop 5"));
  EXPECT_THAT(With(folded, Standing::kHistory), ElementsAre("shop 3"));
}

TEST(FoldTest, ShowsEveryRepairAsCurrentHistory) {
  Chains chains;
  chains.Add(kShop, v1::EVENT_TYPE_REPAIRED, 1, v1::PART_KIND_HISTORY, "fan");
  chains.Add(kShop, v1::EVENT_TYPE_REPAIRED, 2, v1::PART_KIND_HISTORY, "cable");

  EXPECT_THAT(With(Fold(chains.events()), Standing::kCurrent), ElementsAre("fan", "cable"));
}

TEST(FoldTest, EndsAMountWithTheDismounting) {
  Chains chains;
  chains.Add(kOem, v1::EVENT_TYPE_MOUNTED, 1, v1::PART_KIND_VEHICLE, "car 1");
  chains.Add(kOem, v1::EVENT_TYPE_DISMOUNTED, 2, v1::PART_KIND_VEHICLE, "off car 1");

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), IsEmpty());
  EXPECT_THAT(With(folded, Standing::kHistory), ElementsAre("car 1", "off car 1"));
}

TEST(FoldTest, TakesVehicleFactsFromWhoMountedOnly) {
  Chains chains;
  chains.Add(kOem, v1::EVENT_TYPE_MOUNTED, 1, v1::PART_KIND_VEHICLE, "car 1");
  chains.Add(kShop, v1::EVENT_TYPE_DISMOUNTED, 2, v1::PART_KIND_VEHICLE, "forged");

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("car 1"));
  EXPECT_THAT(With(folded, Standing::kNotTaken), ElementsAre("forged"));
}

absl::Time Day(int day) { return absl::FromUnixSeconds(1'700'000'000 + day * 86'400); }

TEST(FoldTest, BelievesTheMountThatWasDatedFirstWhateverItsAuthorsClockSays) {
  Chains chains;
  chains.Add(kShop, v1::EVENT_TYPE_MOUNTED, 1, v1::PART_KIND_VEHICLE, "backdated").dated_at = Day(7);
  chains.Add(kOem, v1::EVENT_TYPE_MOUNTED, 5, v1::PART_KIND_VEHICLE, "car 1").dated_at = Day(6);

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("car 1"));
  EXPECT_THAT(With(folded, Standing::kNotTaken), ElementsAre("backdated"));
}

TEST(FoldTest, BelievesADatedMountBeforeOneThatIsNotYetDated) {
  Chains chains;
  chains.Add(kShop, v1::EVENT_TYPE_MOUNTED, 1, v1::PART_KIND_VEHICLE, "backdated");
  chains.Add(kOem, v1::EVENT_TYPE_MOUNTED, 5, v1::PART_KIND_VEHICLE, "car 1").dated_at = Day(6);

  EXPECT_THAT(With(Fold(chains.events()), Standing::kCurrent), ElementsAre("car 1"));
}

TEST(FoldTest, OrdersOneHoldersMountsByItsOwnTimes) {
  Chains chains;
  chains.Add(kOem, v1::EVENT_TYPE_MOUNTED, 4, v1::PART_KIND_VEHICLE, "car 2").dated_at = Day(5);
  chains.Add(kOem, v1::EVENT_TYPE_MOUNTED, 2, v1::PART_KIND_VEHICLE, "car 1").dated_at = Day(6);

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("car 2"));
  EXPECT_THAT(With(folded, Standing::kHistory), ElementsAre("car 1"));
}

TEST(FoldTest, EndsAHoldersSayWithTheDatedHandover) {
  Chains chains;
  v1::HistoryPart handover;
  handover.set_custodian(kShop);
  chains.Add(kOem, v1::EVENT_TYPE_MOUNTED, 1, v1::PART_KIND_VEHICLE, "car 1").dated_at = Day(1);
  chains.Add(kOem, v1::EVENT_TYPE_CUSTODY_TRANSFERRED, 2, v1::PART_KIND_HISTORY, Encode(handover)).dated_at =
      Day(2);
  chains.Add(kShop, v1::EVENT_TYPE_MOUNTED, 3, v1::PART_KIND_VEHICLE, "car 2").dated_at = Day(3);
  chains.Add(kOem, v1::EVENT_TYPE_MOUNTED, 1, v1::PART_KIND_VEHICLE, "backdated").dated_at = Day(4);

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("car 2", Encode(handover)));
  EXPECT_THAT(With(folded, Standing::kNotTaken), ElementsAre("backdated"));
}

TEST(FoldTest, LetsCustodyPassTheVehicleOn) {
  Chains chains;
  chains.Add(kOem, v1::EVENT_TYPE_MOUNTED, 1, v1::PART_KIND_VEHICLE, "car 1");
  v1::HistoryPart handover;
  handover.set_kind("custody");
  handover.set_custodian(kShop);
  chains.Add(kOem, v1::EVENT_TYPE_CUSTODY_TRANSFERRED, 2, v1::PART_KIND_HISTORY, Encode(handover));
  chains.Add(kShop, v1::EVENT_TYPE_MOUNTED, 3, v1::PART_KIND_VEHICLE, "car 2");

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("car 2", Encode(handover)));
  EXPECT_THAT(With(folded, Standing::kHistory), ElementsAre("car 1"));
}

TEST(FoldTest, EndsAnAttachmentWhenAllItsModulesWereDetached) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_MODULE_ATTACHED, 1, v1::PART_KIND_STRUCTURE, Children({"A", "B"}));
  chains.Add(kMaker, v1::EVENT_TYPE_MODULE_ATTACHED, 2, v1::PART_KIND_STRUCTURE, Children({"C"}));
  chains.Add(kMaker, v1::EVENT_TYPE_MODULE_DETACHED, 3, v1::PART_KIND_STRUCTURE, Children({"A", "B"}));

  EXPECT_THAT(With(Fold(chains.events()), Standing::kCurrent), ElementsAre(Children({"C"})));
}

TEST(FoldTest, WarnsOfGaps) {
  Chains chains;
  chains.Add(kShop, v1::EVENT_TYPE_REPAIRED, 1, v1::PART_KIND_HISTORY, "1");
  chains.Add(kShop, v1::EVENT_TYPE_REPAIRED, 2, v1::PART_KIND_HISTORY, "2");
  chains.Add(kShop, v1::EVENT_TYPE_REPAIRED, 3, v1::PART_KIND_HISTORY, "3");
  chains.events().erase(chains.events().begin() + 1);

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(folded.warnings, ElementsAre(HasSubstr("withheld are events 2 to 2")));
  EXPECT_THAT(With(folded, Standing::kCurrent), ElementsAre("1", "3"));
}

TEST(FoldTest, ShowsBothEventsOfOneNumberAndTakesNeither) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_IDENTITY, "one");
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_IDENTITY, "other").header.set_sequence(1);

  const Folded folded = Fold(chains.events());

  EXPECT_THAT(With(folded, Standing::kCurrent), IsEmpty());
  EXPECT_EQ(With(folded, Standing::kNotTaken).size(), 2u);
  EXPECT_THAT(folded.warnings, ElementsAre(HasSubstr("two events have number 1")));
}

TEST(FoldTest, WarnsOfABrokenChain) {
  Chains chains;
  chains.Add(kShop, v1::EVENT_TYPE_REPAIRED, 1, v1::PART_KIND_HISTORY, "1");
  chains.Add(kShop, v1::EVENT_TYPE_REPAIRED, 2, v1::PART_KIND_HISTORY, "2")
      .header.set_previous_digest("other");

  EXPECT_THAT(Fold(chains.events()).warnings, ElementsAre(HasSubstr("event 2 does not follow event 1")));
}

TEST(FoldTest, MergesOneEventFromTwoSources) {
  Chains chains;
  VerifiedEvent& event = chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_IDENTITY, "identity");
  VerifiedEvent other = event;
  other.parts = {{v1::PART_KIND_MATERIALS, "materials", false, 1},
                 {v1::PART_KIND_IDENTITY, "identity", false, 1}};
  other.dated_at = absl::FromUnixSeconds(1'700'000'000);
  chains.events().push_back(other);

  const Folded folded = Fold(chains.events());

  ASSERT_EQ(folded.statements.size(), 2u);
  EXPECT_EQ(folded.statements[0].source, 0u);
  EXPECT_EQ(folded.statements[1].source, 1u);
  EXPECT_TRUE(folded.statements[0].dated_at.has_value());
  EXPECT_THAT(folded.warnings, IsEmpty());
}

TEST(FoldTest, DoesNotDependOnTheOrderOfEvents) {
  Chains chains;
  chains.Add(kMaker, v1::EVENT_TYPE_REGISTERED, 1, v1::PART_KIND_IDENTITY, "identity");
  chains.Add(kOem, v1::EVENT_TYPE_MOUNTED, 2, v1::PART_KIND_VEHICLE, "car 1");
  chains.Add(kOem, v1::EVENT_TYPE_MOUNTED, 4, v1::PART_KIND_VEHICLE, "car 2");
  chains.Add(kShop, v1::EVENT_TYPE_CONDITION_MEASURED, 3, v1::PART_KIND_CONDITION, "soh");
  const std::vector<std::string> expected = With(Fold(chains.events()), Standing::kCurrent);

  std::reverse(chains.events().begin(), chains.events().end());

  EXPECT_EQ(With(Fold(chains.events()), Standing::kCurrent), expected);
  EXPECT_THAT(expected, ElementsAre("identity", "car 2", "soh"));
}

}  // namespace
}  // namespace tsunagi::passport
