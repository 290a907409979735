#include "identity/people/links.h"

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/store/key.h"
#include "identity/people/rows.h"

namespace tsunagi::people {
namespace {

using store::Key;
using store::Table;

constexpr size_t kMaxSubject = 255;

}  // namespace

std::string LinkKey(absl::string_view account) { return Key("account-openid").Str(account); }

absl::StatusOr<std::optional<StoredOpenIdLink>> LoadLink(const store::Store& store,
                                                         absl::string_view account) {
  const absl::StatusOr<std::string> bytes = store.Get(Table::kPerson, LinkKey(account));
  if (absl::IsNotFound(bytes.status())) return std::nullopt;
  RETURN_IF_ERROR(bytes.status());
  StoredOpenIdLink link;
  RETURN_IF_ERROR(Decode(*bytes, "stored link of an account", link));
  return link;
}

// Looks at every link: there are at most kMaxAccounts, and a key made of the subject would outlive its
// erasure.
absl::StatusOr<std::string> FindLinked(const store::Store& store, absl::string_view issuer,
                                       absl::string_view subject) {
  std::string found;
  absl::Status broken;
  const auto visit = [&](absl::string_view key, absl::string_view value) {
    StoredOpenIdLink link;
    broken = Decode(value, "stored link of an account", link);
    if (!broken.ok()) return false;
    if (link.issuer() != issuer || link.subject() != subject) return true;
    store::KeyReader reader(key);
    absl::StatusOr<std::string> id = reader.Str();  // the kind
    if (id.ok()) id = reader.Str();
    const absl::StatusOr<StoredAccount> account = id.ok() ? LoadAccount(store, *id) : id.status();
    broken = account.status();
    if (account.ok() && !account->disabled()) found = *id;
    return broken.ok() && found.empty();
  };
  RETURN_IF_ERROR(store.Scan(Table::kPerson, Key("account-openid").bytes(), "", visit));
  RETURN_IF_ERROR(broken);
  return found;
}

absl::Status CheckLink(const store::Store& store, absl::string_view account, const StoredOpenIdLink& link) {
  if (link.subject().empty() || link.subject().size() > kMaxSubject || !IsOneLine(link.subject())) {
    return InvalidArgument({"SUBJECT_INVALID", "subject", "(not shown)",
                            absl::StrCat("1 to ", kMaxSubject, " bytes of text on one line")});
  }
  ASSIGN_OR_RETURN(const std::string other, FindLinked(store, link.issuer(), link.subject()));
  if (other.empty() || other == account) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("account `", other, "` is linked to this person: end its link, or disable it, first"));
}

}  // namespace tsunagi::people
