#include "identity/claims.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/store/key.h"
#include "identity/checks.h"
#include "identity/entries.h"

namespace tsunagi::identity {
namespace {

using store::Table;
using Labels = std::vector<std::string>;

constexpr size_t kMaxConsents = 100;

std::string NamespaceKey(absl::string_view claim) { return ClaimKey("namespace", claim); }
std::string ConsentKey(absl::string_view claim, absl::string_view holder) {
  return store::Key("consent").Str(claim).Str(holder);
}

// Labels stand in one value with a space between them: a label has none.
absl::StatusOr<Labels> LoadLabels(const store::Store& store, const std::string& key) {
  const absl::StatusOr<std::string> value = store.Get(Table::kState, key);
  if (absl::IsNotFound(value.status())) return Labels();
  RETURN_IF_ERROR(value.status());
  return Labels(absl::StrSplit(*value, ' '));
}

store::Write SaveLabels(const std::string& key, const Labels& labels) {
  return labels.empty() ? store::Delete(Table::kState, key)
                        : store::Put(Table::kState, key, absl::StrJoin(labels, " "));
}

bool Has(const Labels& labels, absl::string_view label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

// What `of` has and `without` has not.
Labels Minus(const Labels& of, const Labels& without) {
  Labels rest;
  for (const std::string& one : of) {
    if (!Has(without, one)) rest.push_back(one);
  }
  return rest;
}

absl::Status TakeAlone(const store::Store& store, absl::string_view kind, absl::string_view value,
                       const std::string& label, audit::Commit& commit) {
  const std::string key = ClaimKey(kind, value);
  const absl::StatusOr<std::string> holder = store.Get(Table::kState, key);
  if (holder.ok()) {
    return absl::AlreadyExistsError(
        absl::StrCat(kind, " `", value, "` belongs to participant `", *holder, "`"));
  }
  if (!absl::IsNotFound(holder.status())) return holder.status();
  commit.reads.push_back(key);
  commit.writes.push_back(store::Put(Table::kState, key, label));
  return absl::OkStatus();
}

void GiveBack(absl::string_view kind, absl::string_view value, audit::Commit& commit) {
  const std::string key = ClaimKey(kind, value);
  commit.reads.push_back(key);
  commit.writes.push_back(store::Delete(Table::kState, key));
}

absl::Status ShareNamespace(const store::Store& store, const std::string& claim, const std::string& label,
                            audit::Commit& commit) {
  const std::string key = NamespaceKey(claim);
  ASSIGN_OR_RETURN(Labels holders, LoadLabels(store, key));
  for (const std::string& holder : holders) {
    RETURN_IF_ERROR(SetConsent(store, claim, holder, label, false, commit).status());
  }
  holders.push_back(label);
  std::sort(holders.begin(), holders.end());
  commit.reads.push_back(key);
  commit.writes.push_back(SaveLabels(key, holders));
  return absl::OkStatus();
}

absl::Status LeaveNamespace(const store::Store& store, const std::string& claim, const std::string& label,
                            audit::Commit& commit) {
  const std::string key = NamespaceKey(claim);
  ASSIGN_OR_RETURN(const Labels holders, LoadLabels(store, key));
  commit.reads.push_back(key);
  commit.writes.push_back(SaveLabels(key, Minus(holders, {label})));
  return absl::OkStatus();
}

// Whether `holder` lets `after` hold the namespace too.
absl::StatusOr<bool> Consents(const store::Store& store, const std::string& claim, const std::string& holder,
                              const v1::Participant& after, audit::Commit& commit) {
  const std::string key = ConsentKey(claim, holder);
  ASSIGN_OR_RETURN(const Labels consents, LoadLabels(store, key));
  commit.reads.push_back(key);
  if (Has(consents, after.label())) return true;
  ASSIGN_OR_RETURN(const StoredParticipant entry, LoadEntry(store, holder));
  commit.reads.push_back(EntryKey(holder));
  return entry.participant().state() == v1::PARTICIPANT_STATE_LEFT &&
         entry.participant().successor() == after.did();
}

}  // namespace

absl::Status ChangeClaims(const store::Store& store, const v1::Participant& before,
                          const v1::Participant& after, audit::Commit& commit) {
  const std::string& label = after.label();
  if (before.did().empty()) RETURN_IF_ERROR(TakeAlone(store, "did", after.did(), label, commit));
  const Labels old_identifiers = IdentifierClaims(before), identifiers = IdentifierClaims(after);
  for (const std::string& claim : Minus(identifiers, old_identifiers)) {
    RETURN_IF_ERROR(TakeAlone(store, "identifier", claim, label, commit));
  }
  for (const std::string& claim : Minus(old_identifiers, identifiers)) GiveBack("identifier", claim, commit);
  const Labels old_namespaces = NamespaceClaims(before), namespaces = NamespaceClaims(after);
  for (const std::string& claim : Minus(namespaces, old_namespaces)) {
    RETURN_IF_ERROR(ShareNamespace(store, claim, label, commit));
  }
  for (const std::string& claim : Minus(old_namespaces, namespaces)) {
    RETURN_IF_ERROR(LeaveNamespace(store, claim, label, commit));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> FindOverlaps(const store::Store& store,
                                                      const v1::Participant& before,
                                                      const v1::Participant& after, audit::Commit& commit) {
  std::vector<std::string> overlaps;
  for (const std::string& claim : Minus(NamespaceClaims(after), NamespaceClaims(before))) {
    ASSIGN_OR_RETURN(const Labels holders, LoadLabels(store, NamespaceKey(claim)));
    commit.reads.push_back(NamespaceKey(claim));
    for (const std::string& holder : holders) {
      ASSIGN_OR_RETURN(const bool consents, Consents(store, claim, holder, after, commit));
      if (!consents) overlaps.push_back(absl::StrCat(claim, " held by ", holder));
    }
  }
  return overlaps;
}

absl::StatusOr<bool> SetConsent(const store::Store& store, absl::string_view claim, absl::string_view holder,
                                absl::string_view label, bool consent, audit::Commit& commit) {
  const std::string key = ConsentKey(claim, holder);
  ASSIGN_OR_RETURN(Labels consents, LoadLabels(store, key));
  commit.reads.push_back(key);
  if (Has(consents, label) == consent) return false;
  if (consent && consents.size() >= kMaxConsents) {
    return absl::FailedPreconditionError(absl::StrCat("`", holder, "` consented to share `", claim, "` with ",
                                                      kMaxConsents,
                                                      " others that did not take it: withdraw some"));
  }
  if (consent) {
    consents.emplace_back(label);
  } else {
    consents = Minus(consents, {std::string(label)});
  }
  commit.writes.push_back(SaveLabels(key, consents));
  return true;
}

}  // namespace tsunagi::identity
