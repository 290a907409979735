#include "core/base/random.h"

#include <sys/random.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/base/bytes.h"
#include "core/base/fatal.h"

namespace tsunagi {
namespace {

void FillFromSystem(char* out, size_t size) {
  while (size > 0) {
    const ssize_t got = ::getrandom(out, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) Fatal("the system has no randomness (getrandom)");
    out += got;
    size -= static_cast<size_t>(got);
  }
}

// Random bytes of one thread. Each byte is given out once and wiped.
struct Pool {
  std::array<char, 1024> bytes;
  size_t left = 0;
  pid_t owner = 0;

  std::string Take(size_t size) {
    // A forked child must not repeat what its parent gives out.
    if (left < size || owner != ::getpid()) Refill();
    left -= size;
    std::string taken(bytes.data() + left, size);
    ::explicit_bzero(bytes.data() + left, size);
    return taken;
  }
  void Refill() {
    FillFromSystem(bytes.data(), bytes.size());
    left = bytes.size();
    owner = ::getpid();
  }
};

}  // namespace

std::string SystemRandom::Bytes(size_t size) {
  thread_local Pool pool;
  if (size <= pool.bytes.size()) return pool.Take(size);
  std::string bytes(size, '\0');
  FillFromSystem(bytes.data(), size);
  return bytes;
}

std::string NewUuid(Random& random) {
  std::string bytes = random.Bytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  std::string text = ToHex(bytes);
  for (const size_t hyphen : {8u, 13u, 18u, 23u}) text.insert(hyphen, 1, '-');
  return text;
}

bool IsUuid(const std::string& text) {
  constexpr char kForm[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != sizeof(kForm) - 1) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (kForm[i] == '-' ? c != '-' : !hex) return false;
  }
  return true;
}

}  // namespace tsunagi
