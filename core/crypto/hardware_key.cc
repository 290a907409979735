// The engine interface is deprecated in OpenSSL 3; Debian 12 has no provider for PKCS#11.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/crypto/hardware_key.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/error.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/crypto/openssl.h"
#include "openssl/engine.h"

namespace tsunagi::crypto {
namespace {

constexpr absl::string_view kScheme = "pkcs11:";

// A URI whose module is split off: the engine takes it as a setting of its own.
struct HardwareKey {
  std::string module_path;
  std::string uri;  // without module-path
};

absl::Status WrongUri(absl::string_view uri, absl::string_view expected) {
  return InvalidArgument({"HARDWARE_KEY_INVALID", "key", uri, expected});
}

absl::StatusOr<HardwareKey> ParseUri(absl::string_view uri) {
  if (absl::StrContains(uri, "pin-value=")) {
    return WrongUri("pkcs11:…",
                    "no pin-value but `pin-source=file:<path>`: a PIN belongs into a file of its own");
  }
  const std::vector<std::string> halves = absl::StrSplit(uri, absl::MaxSplits('?', 1));
  HardwareKey key;
  std::vector<absl::string_view> kept;
  bool has_pin = false;
  const absl::string_view query = halves.size() < 2 ? absl::string_view() : absl::string_view(halves[1]);
  for (const absl::string_view attribute : absl::StrSplit(query, '&')) {
    absl::string_view value = attribute;
    if (absl::ConsumePrefix(&value, "module-path=")) {
      key.module_path = std::string(value);
    } else {
      has_pin = has_pin || absl::StartsWith(attribute, "pin-source=file:");
      kept.push_back(attribute);
    }
  }
  if (!absl::StartsWith(key.module_path, "/")) {
    return WrongUri(uri, "`module-path=` with the absolute path of the token's PKCS#11 module");
  }
  if (!has_pin) return WrongUri(uri, "`pin-source=file:<path>` with the file that holds the PIN");
  key.uri = absl::StrCat(halves[0], "?", absl::StrJoin(kept, "&"));
  return key;
}

// The engine with its module. It is one a process, and never unloaded: keys refer to it until the process
// ends.
struct Loaded {
  ENGINE* engine = nullptr;
  std::string module_path;
};

absl::StatusOr<ENGINE*> EngineFor(const std::string& module_path) {
  static Mutex& mutex = *new Mutex;
  static auto& loaded = *new Loaded;
  MutexLock lock(mutex);
  if (loaded.engine != nullptr && loaded.module_path == module_path) return loaded.engine;
  if (loaded.engine != nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("PKCS#11 module `", module_path,
                                                      "`: this process uses `", loaded.module_path,
                                                      "` already, expected one module"));
  }
  ENGINE_load_dynamic();
  ENGINE* const engine = ENGINE_by_id("pkcs11");
  if (engine == nullptr) {
    return SslError(absl::StatusCode::kFailedPrecondition,
                    "OpenSSL has no engine `pkcs11`: install libengine-pkcs11-openssl");
  }
  if (ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", module_path.c_str(), 0) != 1 ||
      ENGINE_init(engine) != 1) {
    ENGINE_free(engine);
    return SslError(absl::StatusCode::kFailedPrecondition,
                    absl::StrCat("PKCS#11 module `", module_path, "` cannot be used"));
  }
  loaded = {engine, module_path};
  return engine;
}

}  // namespace

bool IsHardwareKey(absl::string_view text) { return absl::StartsWith(text, kScheme); }

absl::StatusOr<std::shared_ptr<EVP_PKEY>> LoadHardwareKey(absl::string_view uri) {
  ASSIGN_OR_RETURN(const HardwareKey key, ParseUri(absl::StripAsciiWhitespace(uri)));
  ASSIGN_OR_RETURN(ENGINE* const engine, EngineFor(key.module_path));
  EvpPkeyPtr native(ENGINE_load_private_key(engine, key.uri.c_str(), nullptr, nullptr));
  if (native == nullptr) {
    return SslError(absl::StatusCode::kFailedPrecondition,
                    absl::StrCat("no such key, or a wrong PIN: `", key.uri, "`"));
  }
  return std::shared_ptr<EVP_PKEY>(std::move(native));
}

}  // namespace tsunagi::crypto
