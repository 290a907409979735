// Private keys that never leave a PKCS#11 token (HSM).
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "openssl/evp.h"

namespace tsunagi::crypto {

// Whether the text of a key file names a key in a token: a PKCS#11 URI (RFC 7512).
bool IsHardwareKey(absl::string_view text);

// The key that `uri` names, such as
// `pkcs11:token=registrar;object=directory?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/tsunagi/pin`.
// It stays in the token: signing asks the token. A process uses one module, and logs in to a token once, with
// the first key of it. Needs Debian's libengine-pkcs11-openssl.
//   INVALID_ARGUMENT    no module-path, no pin-source with a file, or a pin-value: a PIN belongs into a file
//   of
//                       its own
//   FAILED_PRECONDITION the engine, the module or the key is not there, the PIN is wrong, or another module
//   is
//                       in use
absl::StatusOr<std::shared_ptr<EVP_PKEY>> LoadHardwareKey(absl::string_view uri);

}  // namespace tsunagi::crypto
