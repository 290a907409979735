"""What the architecture check looks for. Each rule says what to do instead."""

import collections

Violation = collections.namedtuple("Violation", "path line rule message")

RULES = ("include-table", "confined-headers", "forbidden-calls", "test-only-headers", "include-paths", "folder-cycles",
         "walks", "table-words", "threat-tests", "disk-keys")

# Words of the include table that are no folder, and the headers that they stand for: none where every folder may
# include them (absl) or CONFINED below says who may (OpenSSL).
WORDS = {
    "std": [],
    "absl": [],
    "protobuf": [],
    "OpenSSL": [],
    "libcjose": [],
    "libsodium": [],
    "zlib": [],
    "RocksDB": [],
    "yaml-cpp": [r"yaml-cpp/"],
    "spdlog": [r"spdlog/"],
    "nlohmann": [r"nlohmann/"],
    "CLI11": [r"CLI/"],
    "prometheus-cpp": [],
    "protos": [r"tsunagi/(?!.*\.grpc\.pb\.h).*\.pb\.h$"],
    "common protos": [r"tsunagi/common/v1/\w+\.pb\.h$"],
    "audit and storage protos": [r"tsunagi/(common|audit)/v1/\w+\.pb\.h$", r"tsunagi/internal/v1/storage\.pb\.h$"],
    "core/audit proofs": [r"core/audit/(checkpoint|merkle|receipt)\.h$"],
    "tsunagi::rpc": [r"tsunagi/.*\.pb\.h$"],
    "services/rpc and services/http clients": [r"services/rpc/", r"services/http/"],
}

# Headers that only some places may include, tests and benchmarks too, and where to go instead.
CONFINED = {
    r"grpcpp/|grpc/|tsunagi/.*\.grpc\.pb\.h$": (
        ("services/", "cli/", "tests/", "bench/"),
        "domain code speaks absl::Status and values; services convert"),
    r"boost/": (("services/http/",), "go through services/http/server.h or client.h"),
    r"rocksdb/": (("core/store/rocks_store.cc", "core/store/rocks_store_test.cc", "bench/"), "go through core/store/store.h"),
    r"openssl/": (("core/crypto/", "services/http/", "bench/tokens.cc"), "go through core/crypto"),
    r"prometheus/": (("services/metrics/",), "go through services/metrics/families.h and endpoint.h"),
    r"sodium[./]": (("core/crypto/",), "go through core/crypto/password.h"),
    r"zlib\.h": (("identity/bitstring.cc", "identity/bitstring_test.cc"), "go through identity/bitstring.h"),
    r"cjose/": (("core/crypto/",), "go through core/crypto/jwt.h"),
}

# Headers of test support.
TEST_ONLY = r"tests/|gtest/|gmock/"

ABSEIL_MUTEX = r"\babsl::(Mutex\w*|CondVar)\b|\babsl/synchronization/mutex\.h"
# Calls and names that no file may use, and what to use.
FORBIDDEN = {
    r"\b(sleep_for|sleep_until|usleep|nanosleep|SleepFor)\s*\(|(?<![\w.>])sleep\s*\(":
        "wait on a condition, or inject a Clock and advance it",
    r"\bstd::(rand|srand|random_device)\b|(?<![\w.>:])s?rand\s*\(": "inject core/base/random.h",
    r"\bstd::(w|u8|u16|u32)?string_view\b": "write absl::string_view, which Debian's Abseil takes",
    ABSEIL_MUTEX: "use core/base/mutex.h: ThreadSanitizer does not see into Debian's Abseil",
    r"(?<![\w.>])(std::|::)?(system|popen)\s*\(": "call the library, or start a program by its path without a shell",
    r"\bstd::(format|source_location)\b": "absent from GCC 12 or Clang 14: use absl::StrFormat and pass context",
}
# But for what sets them up for the libraries that use them.
EXEMPT = {ABSEIL_MUTEX: ("core/base/deadlock.h", "core/base/deadlock_test.cc")}

# Files of a walk, a `.h`/`.cc` pair being one.
MAX_WALK_FILES = 6
