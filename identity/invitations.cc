#include "identity/invitations.h"

#include <cstdint>

#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/store/key.h"

namespace tsunagi::identity {
namespace {

constexpr size_t kCodeBytes = 20;
constexpr absl::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

}  // namespace

std::string NewInvitationCode(Random& random) {
  std::string code;
  uint32_t bits = 0;
  int count = 0;
  for (const char byte : random.Bytes(kCodeBytes)) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    for (count += 8; count >= 5; count -= 5) code.push_back(kBase32[(bits >> (count - 5)) & 31]);
  }
  return code;
}

std::string InvitationKey(absl::string_view code) {
  return store::Key("invitation").Str(crypto::Sha256({"tsunagi/invitation/v1", code}));
}

absl::StatusOr<StoredInvitation> LoadInvitation(const store::Store& store, absl::string_view code) {
  ASSIGN_OR_RETURN(const std::string bytes, store.Get(store::Table::kState, InvitationKey(code)));
  StoredInvitation invitation;
  RETURN_IF_ERROR(Decode(bytes, "stored invitation", invitation));
  return invitation;
}

}  // namespace tsunagi::identity
