// Membership: what waits and who is a member, in pages.
#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/bytes.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/checks.h"
#include "identity/claims.h"
#include "identity/members.h"
#include "identity/membership.h"
#include "passport/model/text.h"

namespace tsunagi::identity {
namespace {

using store::Table;

constexpr int kMaxPage = 1000;
constexpr int kDefaultPage = 100;
// A response stays below the 4 MiB that a message may have.
constexpr size_t kMaxPageBytes = 3 << 20;
constexpr size_t kMaxSearch = 200;

absl::StatusOr<int> PageSize(int32_t requested) {
  if (requested >= 0 && requested <= kMaxPage) return requested == 0 ? kDefaultPage : requested;
  return InvalidArgument({"PAGE_SIZE_INVALID", "page_size", absl::StrCat(requested), "0 to 1000"});
}

absl::Status WrongToken(absl::string_view token, absl::string_view expected) {
  return InvalidArgument({"PAGE_TOKEN_INVALID", "page_token", token, expected});
}

// Which members a request is for.
class Search {
 public:
  static absl::StatusOr<Search> Of(const v1::ListParticipantsRequest& request) {
    RETURN_IF_ERROR(CheckText("search", request.search(), kMaxSearch, /*required=*/false));
    RETURN_IF_ERROR(CheckText("role", request.role(), kMaxSearch, /*required=*/false));
    ASSIGN_OR_RETURN(std::string folded, passport::FoldForSearch(request.search()));
    return Search(std::move(folded), request.role());
  }

  bool Matches(const v1::Participant& participant) const {
    const auto& roles = participant.roles();
    if (!role_.empty() && std::find(roles.begin(), roles.end(), role_) == roles.end()) return false;
    if (text_.empty() || In(participant.name_ja()) || In(participant.name_latin()) ||
        In(participant.name_kana()) || In(participant.label()) || In(participant.did())) {
      return true;
    }
    return std::any_of(participant.identifiers().begin(), participant.identifiers().end(),
                       [this](const v1::PartyIdentifier& identifier) { return In(identifier.value()); });
  }

  // A token for the page that begins with `label`: of no use to another search, whose pages it would cut
  // wrongly.
  std::string Token(absl::string_view label) const { return absl::StrCat(label, ".", Mark()); }
  // The label that a token names; empty for no token.
  absl::StatusOr<std::string> Label(absl::string_view token) const {
    if (token.empty()) return std::string();
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(token, absl::MaxSplits('.', 1));
    if (!tsunagi::Label::Parse(parts.first).ok() || parts.second != Mark()) {
      return WrongToken(token, "next_page_token of a page of the same search and role");
    }
    return std::string(parts.first);
  }

 private:
  Search(std::string text, std::string role) : text_(std::move(text)), role_(std::move(role)) {}

  bool In(absl::string_view text) const {
    const absl::StatusOr<std::string> folded = passport::FoldForSearch(text);
    return folded.ok() && absl::StrContains(*folded, text_);
  }
  // Neither text has a line break.
  std::string Mark() const { return ToHex(crypto::Sha256({text_, "\n", role_}).substr(0, 8)); }

  std::string text_;
  std::string role_;
};

}  // namespace

absl::StatusOr<v1::ListParticipantsResponse> Membership::List(
    const v1::ListParticipantsRequest& request) const {
  ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const Search search, Search::Of(request));
  ASSIGN_OR_RETURN(const std::string label, search.Label(request.page_token()));
  v1::ListParticipantsResponse response;
  absl::Status broken;
  size_t bytes = 0;
  RETURN_IF_ERROR(context_.journal.store().Scan(
      Table::kState, EntryPrefix(), label.empty() ? "" : EntryKey(label),
      [&](absl::string_view, absl::string_view value) {
        StoredParticipant entry;
        broken = Decode(value, "stored participant", entry);
        if (!broken.ok()) return false;
        if (!search.Matches(entry.participant())) return true;
        bytes += value.size();
        if (response.participants_size() == page_size || bytes > kMaxPageBytes) {
          response.set_next_page_token(search.Token(entry.participant().label()));
          return false;
        }
        v1::ListedParticipant& row = *response.add_participants();
        row.set_suspended(entry.suspended());
        *row.mutable_participant() = std::move(*entry.mutable_participant());
        return true;
      }));
  RETURN_IF_ERROR(broken);
  return response;
}

absl::StatusOr<v1::ListPendingResponse> Membership::ListPending(const v1::ListPendingRequest& request) const {
  const store::Store& store = context_.journal.store();
  ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  if (!request.page_token().empty() && !Label::Parse(request.page_token()).ok()) {
    return WrongToken(request.page_token(), "next_page_token of a page");
  }
  v1::ListPendingResponse response;
  absl::Status broken;
  size_t bytes = 0;
  RETURN_IF_ERROR(store.Scan(Table::kState, PendingPrefix(),
                             request.page_token().empty() ? "" : PendingKey(request.page_token()),
                             [&](absl::string_view, absl::string_view value) {
                               StoredPending stored;
                               broken = Decode(value, "stored pending", stored);
                               if (!broken.ok()) return false;
                               bytes += value.size();
                               if (response.pending_size() == page_size || bytes > kMaxPageBytes) {
                                 response.set_next_page_token(stored.pending().label());
                                 return false;
                               }
                               *response.add_pending() = std::move(*stored.mutable_pending());
                               return true;
                             }));
  RETURN_IF_ERROR(broken);
  for (v1::Pending& pending : *response.mutable_pending()) {
    const absl::StatusOr<StoredParticipant> entry = LoadEntry(store, pending.label());
    const v1::Participant before = entry.ok() ? entry->participant() : v1::Participant();
    audit::Commit dropped;
    ASSIGN_OR_RETURN(const std::vector<std::string> overlaps,
                     FindOverlaps(store, before, pending.participant(), dropped));
    pending.mutable_overlaps()->Assign(overlaps.begin(), overlaps.end());
  }
  return response;
}

}  // namespace tsunagi::identity
