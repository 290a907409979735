// The certificate of a connection, as the guard reads it: a peer has a name and a hash, or there is none.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "services/rpc/guard.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto peer = tsunagi::rpc::PeerFromCertificate({reinterpret_cast<const char*>(data), size});
  if (!peer.ok()) return 0;
  const bool named = !peer->federation.empty() && !peer->label.empty() && !peer->process.empty();
  if (!named || peer->certificate_sha256.size() != 32) std::abort();
  return 0;
}
