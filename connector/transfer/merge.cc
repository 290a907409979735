#include "connector/transfer/merge.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "core/base/proto.h"
#include "passport/model/fold.h"
#include "passport/model/slots.h"

namespace tsunagi::connector {
namespace {

v1::Statement StatementOf(const passport::FoldedStatement& folded, const Asked& source) {
  v1::Statement statement;
  statement.set_section(passport::SectionOf(folded.kind));
  statement.set_kind(folded.kind);
  statement.set_content(folded.content);
  statement.set_author(folded.author);
  *statement.mutable_occurred_at() = ToProto(folded.occurred_at);
  if (folded.dated_at.has_value()) *statement.mutable_dated_at() = ToProto(*folded.dated_at);
  statement.set_released_by(source.holder->participant.did());
  statement.set_agreement(source.release->agreement);
  statement.set_in_passport(folded.standing == passport::Standing::kCurrent);
  statement.set_note(folded.note);
  return statement;
}

}  // namespace

void Merge(const std::vector<Asked>& answers, policy::SectionMask sections,
           const std::vector<std::string>& successors, v1::ResolveResponse& response) {
  std::vector<passport::VerifiedEvent> events;
  absl::flat_hash_map<size_t, const Asked*> sources;
  for (const Asked& asked : answers) {
    *response.add_answers() = asked.answer;
    if (asked.answer.outcome() == "INVALID") {
      response.add_warnings(absl::StrCat("left out what `", asked.answer.participant(),
                                         "` answered: ", asked.answer.message()));
    }
    if (!asked.release.has_value()) continue;
    sources[asked.source] = &asked;
    const passport::VerifiedSet& set = asked.release->events;
    events.insert(events.end(), set.events.begin(), set.events.end());
    for (const std::string& warning : set.warnings) {
      response.add_warnings(absl::StrCat("`", asked.answer.participant(), "`: ", warning));
    }
  }
  const passport::Folded folded = passport::Fold(events, successors);
  for (const passport::FoldedStatement& statement : folded.statements) {
    const common::v1::Section section = passport::SectionOf(statement.kind);
    if ((policy::BitOf(section) & sections) == 0) continue;
    *response.add_statements() = StatementOf(statement, *sources.at(statement.source));
  }
  std::stable_sort(response.mutable_statements()->begin(), response.mutable_statements()->end(),
                   [](const v1::Statement& a, const v1::Statement& b) { return a.section() < b.section(); });
  for (const std::string& warning : folded.warnings) response.add_warnings(warning);
}

void AddReceipts(const std::vector<Asked>& answers, const identity::TrustView& view,
                 v1::ResolveResponse& response) {
  for (const Asked& asked : answers) {
    if (!asked.release.has_value()) continue;
    audit::v1::Receipt receipt;
    *receipt.mutable_proof() = asked.release->response.proof();
    *receipt.mutable_provider_entry() = asked.holder->signed_entry;
    for (const std::string& certificate : view.directory_chain) receipt.add_directory_chain(certificate);
    receipt.set_content(asked.release->response.content());
    response.add_receipts(Encode(receipt));
  }
}

}  // namespace tsunagi::connector
