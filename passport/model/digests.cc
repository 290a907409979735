#include "passport/model/digests.h"

#include "core/base/bytes.h"

namespace tsunagi::passport {

Digest PartDigest(uint32_t slot, absl::string_view salt, absl::string_view content) {
  std::string number;
  AppendU32(number, slot);
  return crypto::Sha256({kPartTag, number, salt, content});
}

Digest EventDigest(absl::string_view header, absl::Span<const Digest> slot_digests) {
  std::string length;
  AppendU64(length, header.size());
  std::string slots;
  AppendU32(slots, static_cast<uint32_t>(slot_digests.size()));
  for (const Digest& digest : slot_digests) slots += digest;
  return crypto::Sha256({kEventTag, length, header, slots});
}

absl::StatusOr<Digest> SlotDigest(uint32_t slot, const v1::SlotDisclosure& disclosure) {
  if (disclosure.has_open() && disclosure.open().salt().size() == kSaltSize) {
    return PartDigest(slot, disclosure.open().salt(), disclosure.open().content());
  }
  if (disclosure.slot_case() == v1::SlotDisclosure::kDigest &&
      disclosure.digest().size() == crypto::kDigestSize) {
    return disclosure.digest();
  }
  return absl::DataLossError("a slot holds neither a digest of 32 bytes nor a part with a salt of 16 bytes");
}

}  // namespace tsunagi::passport
