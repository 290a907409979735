#include "identity/persons.h"

#include "absl/strings/ascii.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/store/key.h"
#include "identity/checks.h"
#include "passport/model/text.h"

namespace tsunagi::identity {
namespace {

using store::Key;
using store::Table;

constexpr size_t kMaxName = 100;
constexpr size_t kKeyBytes = 32;
constexpr size_t kIdBytes = 16;

std::string PersonKey(absl::string_view certificate_sha256) { return Key("person").Str(certificate_sha256); }

// A plain hash of a name could be guessed from a list of staff; without this key it cannot.
absl::StatusOr<std::string> IdKey(const store::Store& store, Random& random, audit::Commit& commit) {
  const std::string key = Key("person-id-key");
  absl::StatusOr<std::string> kept = store.Get(Table::kState, key);
  if (!absl::IsNotFound(kept.status())) return kept;
  std::string made = random.Bytes(kKeyBytes);
  commit.reads.push_back(key);
  commit.writes.push_back(store::Put(Table::kState, key, made));
  return made;
}

}  // namespace

absl::StatusOr<StoredPerson> NewPerson(const store::Store& store, absl::string_view name, Random& random,
                                       audit::Commit& commit) {
  name = absl::StripAsciiWhitespace(name);
  if (!CheckText("person", name, kMaxName, /*required=*/true).ok()) {
    return InvalidArgument({"PERSON_INVALID", "person", "", "a name of 1 to 100 bytes on one line"});
  }
  ASSIGN_OR_RETURN(const std::string folded, passport::FoldForSearch(name));
  ASSIGN_OR_RETURN(const std::string key, IdKey(store, random, commit));
  StoredPerson person;
  person.set_name(std::string(name));
  person.set_id(ToHex(crypto::HmacSha256(key, {folded}).substr(0, kIdBytes)));
  return person;
}

void KeepPerson(absl::string_view certificate_sha256, const StoredPerson& person, audit::Commit& commit) {
  commit.writes.push_back(store::Put(Table::kState, PersonKey(certificate_sha256), Encode(person)));
}

absl::StatusOr<std::optional<StoredPerson>> FindPerson(const store::Store& store,
                                                       absl::string_view certificate_sha256) {
  const absl::StatusOr<std::string> bytes = store.Get(Table::kState, PersonKey(certificate_sha256));
  if (absl::IsNotFound(bytes.status())) return std::nullopt;
  RETURN_IF_ERROR(bytes.status());
  StoredPerson person;
  RETURN_IF_ERROR(Decode(*bytes, "stored person", person));
  return person;
}

}  // namespace tsunagi::identity
