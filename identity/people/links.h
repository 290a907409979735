// To whom at the company's OpenID Connect provider accounts are linked. It lies in table PERSON: it may be an
// address.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/store/store.h"
#include "tsunagi/internal/v1/openid.pb.h"

namespace tsunagi::people {

using internal::v1::StoredOpenIdLink;

// Key of table PERSON: the link of an account.
std::string LinkKey(absl::string_view account);

// Nothing without link.
absl::StatusOr<std::optional<StoredOpenIdLink>> LoadLink(const store::Store& store,
                                                         absl::string_view account);

// The enabled account that is linked to this person; empty when none is.
absl::StatusOr<std::string> FindLinked(const store::Store& store, absl::string_view issuer,
                                       absl::string_view subject);

// INVALID_ARGUMENT, without the value, unless a subject has 1 to 255 bytes of text on one line;
// ALREADY_EXISTS when an enabled account other than `account` is linked to this person.
absl::Status CheckLink(const store::Store& store, absl::string_view account, const StoredOpenIdLink& link);

}  // namespace tsunagi::people
