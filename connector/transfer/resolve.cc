#include "connector/transfer/resolve.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "catalog/routing.h"
#include "connector/records.h"
#include "connector/transfer/fan_out.h"
#include "connector/transfer/merge.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "identity/evidence_keys.h"

namespace tsunagi::connector {
namespace {

constexpr policy::SectionMask kLookup = policy::BitOf(common::v1::SECTION_LOOKUP);
constexpr int kThreads = 8;

}  // namespace

// A resolution under way.
struct Resolver::Search {
  Search(const Caller& asker, std::shared_ptr<const identity::TrustView> trusted)
      : caller(asker), view(std::move(trusted)) {}

  const Caller& caller;
  const std::shared_ptr<const identity::TrustView> view;
  passport::DirectoryKeys keys;
  Question question;
  // To be asked, each once, in the order in which they were found.
  std::vector<PartyPtr> holders;
  absl::flat_hash_set<std::string> known;
  size_t asked = 0;  // marks the next holder's events
  std::vector<Asked> answers;
  v1::ResolveResponse response;
};

absl::StatusOr<v1::ResolveResponse> Resolver::Resolve(const Caller& caller,
                                                      const v1::ResolveRequest& request) {
  return request.link().empty() ? ResolveSubject(caller, request) : ResolveLink(caller, request);
}

// A domain may have several holders, of whom one made the battery: the first whose battery anybody released.
absl::StatusOr<v1::ResolveResponse> Resolver::ResolveLink(const Caller& caller, v1::ResolveRequest request) {
  if (request.has_subject()) {
    return InvalidArgument({"SUBJECT_AND_LINK", "link", "", "a link or a subject, not both"});
  }
  ASSIGN_OR_RETURN(const std::vector<common::v1::BatteryId> batteries,
                   catalog::RouteLink(*trust_.View(), request.link()));
  absl::StatusOr<v1::ResolveResponse> first;
  for (size_t i = 0; i < batteries.size(); ++i) {
    *request.mutable_subject()->mutable_battery() = batteries[i];
    absl::StatusOr<v1::ResolveResponse> response = ResolveSubject(caller, request);
    if (!response.ok() || !response->statements().empty()) return response;
    if (i == 0) first = std::move(response);
  }
  return first;
}

absl::StatusOr<v1::ResolveResponse> Resolver::ResolveSubject(const Caller& caller,
                                                             const v1::ResolveRequest& request) {
  Search search(caller, trust_.View());
  RETURN_IF_ERROR(Prepare(request, search));
  if (search.question.subject.has_vehicle()) {
    FindBattery(search);
  } else {
    *search.response.mutable_battery() = search.question.subject.battery();
  }
  if (search.response.has_battery()) FindOthers(search);
  Merge(search.answers, search.question.sections,
        search.view->SuccessorsOf(search.response.battery().manufacturer()), search.response);
  if (request.receipts()) AddReceipts(search.answers, *search.view, search.response);
  return std::move(search.response);
}

absl::Status Resolver::Prepare(const v1::ResolveRequest& request, Search& search) const {
  RETURN_IF_ERROR(CheckSubject(request.subject()));
  RETURN_IF_ERROR(CheckPurpose(request.purpose()));
  ASSIGN_OR_RETURN(search.question.sections, SectionsOf(request.sections()));
  search.question.subject = request.subject();
  search.question.purpose = request.purpose();
  search.keys = identity::EvidenceKeys(search.view, trust_.federation(), clock_.Now());
  for (const std::string& participant : request.participants()) {
    if (!search.view->Find(participant).ok()) {
      return InvalidArgument(
          {"PARTICIPANT_UNKNOWN", "participants", participant, "DID or label of a participant"});
    }
    Add(search, participant);
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> routed, catalog::Route(*search.view, request.subject()));
  for (const std::string& holder : routed) Add(search, holder);
  if (search.holders.empty() && request.subject().has_vehicle()) {
    return absl::FailedPreconditionError(
        "no participant of the federation registered this vehicle's type or maker: name one in "
        "`participants`");
  }
  return absl::OkStatus();
}

// A suspended participant is not asked: nobody may deal with it.
void Resolver::Add(Search& search, absl::string_view participant) const {
  const absl::StatusOr<PartyPtr> party = search.view->Find(participant);
  if (!party.ok()) {
    search.response.add_warnings(
        absl::StrCat("`", participant, "` is not in the directory and was not asked"));
    return;
  }
  const std::string& did = (*party)->participant.did();
  if (!search.known.insert(did).second) return;
  if (search.view->IsSuspended(did)) {
    search.response.add_warnings(absl::StrCat("`", participant, "` is suspended and was not asked"));
  } else if (search.known.size() > kMaxHolders) {
    search.response.add_warnings(absl::StrCat("`", participant, "` was not asked: more than 64 holders"));
  } else {
    search.holders.push_back(*party);
  }
}

// Asks those who may know the vehicle which battery it has; they release along what they hold. Those who do
// not know the vehicle may know the battery, and are asked again.
void Resolver::FindBattery(Search& search) {
  std::vector<Asked> asked = AskAll(search, search.question.subject);
  common::v1::BatteryId battery;
  for (Asked& one : asked) {
    if (!one.release.has_value()) continue;
    const common::v1::BatteryId& named = one.release->content.battery();
    for (const common::v1::BatteryId& other : one.release->content.other_batteries()) {
      search.response.add_warnings(
          absl::StrCat("`", one.answer.participant(), "` says that the vehicle has another battery, `",
                       other.serial(), "` of `", other.manufacturer(), "`: resolve it by its serial"));
    }
    if (battery.serial().empty()) battery = named;
    if (named.manufacturer() == battery.manufacturer() && named.serial() == battery.serial()) continue;
    search.response.add_warnings(absl::StrCat("`", one.answer.participant(), "` names another battery, `",
                                              named.serial(), "` of `", named.manufacturer(), "`: left out"));
    one.release.reset();
  }
  const bool found = !battery.serial().empty();
  if (found) *search.response.mutable_battery() = std::move(battery);
  for (Asked& one : asked) {
    const bool again = found && (one.answer.outcome() == "NOT_FOUND" || one.answer.outcome() == "REFUSED");
    if (again) {
      search.holders.push_back(one.holder);
    } else {
      search.answers.push_back(std::move(one));
    }
  }
}

// Asks the manufacturer, those that its catalog names, and this participant itself.
void Resolver::FindOthers(Search& search) {
  const std::string& manufacturer = search.response.battery().manufacturer();
  Add(search, manufacturer);
  Add(search, own_.did);
  catalog::v1::FindHoldersRequest request;
  *request.mutable_battery() = search.response.battery();
  const auto found = federation_.FindHolders(manufacturer, request);
  if (found.ok()) {
    for (const catalog::v1::Holder& holder : found->holders()) Add(search, holder.participant());
  } else if (!absl::IsNotFound(found.status())) {
    search.response.add_warnings(
        absl::StrCat("the catalog of `", manufacturer,
                     "` could not be asked for other holders: ", found.status().message()));
  }
  common::v1::Subject battery;
  *battery.mutable_battery() = search.response.battery();
  for (Asked& one : AskAll(search, battery)) {
    // That the own node has nothing is no answer of a holder.
    if (one.answer.participant() == own_.did && one.answer.outcome() == "NOT_FOUND") continue;
    search.answers.push_back(std::move(one));
  }
}

// Asks search.holders, and empties it.
std::vector<Asked> Resolver::AskAll(Search& search, const common::v1::Subject& subject) {
  const std::vector<PartyPtr> holders = std::exchange(search.holders, {});
  Question question = search.question;
  question.subject = subject;
  // Of a known battery there is nothing to look up.
  if (subject.has_battery()) question.sections &= ~kLookup;
  if (question.sections == 0) return {};
  const size_t first = search.asked;
  search.asked += holders.size();
  std::vector<Asked> answers(holders.size());
  FanOut(holders.size(), kThreads, [&](size_t i) {
    answers[i] = holders_.Ask(search.caller, holders[i], question, search.keys, first + i);
  });
  return answers;
}

}  // namespace tsunagi::connector
