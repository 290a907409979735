#include "core/crypto/library.h"

#include <openssl/crypto.h>

namespace tsunagi::crypto {

void KeepLibraryUntilExit() { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr); }

}  // namespace tsunagi::crypto
