// Invitation codes: 160 random bits in base32, kept only as a hash.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/random.h"
#include "core/store/store.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::identity {

using internal::v1::StoredInvitation;

// 32 characters of A-Z and 2-7.
std::string NewInvitationCode(Random& random);

// Where the invitation of a code lies: under the SHA-256 of the code.
std::string InvitationKey(absl::string_view code);

// NOT_FOUND when there is no such invitation.
absl::StatusOr<StoredInvitation> LoadInvitation(const store::Store& store, absl::string_view code);

}  // namespace tsunagi::identity
