// Checkpoint notes: parsers do not crash, and nothing but the seed's body opens under the published example
// key.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/audit/checkpoint.h"
#include "core/base/bytes.h"

namespace {

constexpr char kOrigin[] = "cell-maker.battery.example/node";
constexpr char kWitness[] = "registrar.battery.example";
// Key of the example in Go's sumdb/note package.
constexpr char kKey[] = "GlzZBxQ8OExB6DDFvOEqqIF+xWSaqr8sMTiLNbLXRNY=";
constexpr char kRoot[] = "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsunagi;  // NOLINT: a fuzz target
  static const crypto::PublicKey key = crypto::PublicKey::FromEd25519(FromBase64(kKey).value()).value();
  const absl::string_view note(reinterpret_cast<const char*>(data), size);
  const auto checkpoint = audit::OpenCheckpoint(note, kOrigin, key);
  const auto lines = audit::SignatureLineCount(note);
  const auto time = audit::CosignatureTime(note, kWitness, key);
  if (checkpoint.ok() && (checkpoint->size != 3 || ToHex(checkpoint->root) != kRoot)) std::abort();
  if (checkpoint.ok() && (!lines.ok() || *lines < 1)) std::abort();
  if (time.ok() && *time != absl::FromUnixSeconds(1795219200)) std::abort();
  return 0;
}
