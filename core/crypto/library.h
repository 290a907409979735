// OpenSSL as a library of this process.
#pragma once

namespace tsunagi::crypto {

// Keeps OpenSSL's state until the process has ended. First in main(), before anything uses OpenSSL: gRPC's
// threads run on while exit() works, and would otherwise use, or leave behind, what OpenSSL's own exit
// handler has freed (OPENSSL_init_crypto(3), OPENSSL_INIT_NO_ATEXIT).
void KeepLibraryUntilExit();

}  // namespace tsunagi::crypto
