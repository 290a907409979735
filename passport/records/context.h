// What a participant's records are written and read with.
#pragma once

#include <string>

#include "core/audit/journal.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/crypto/key.h"
#include "identity/trust.h"
#include "passport/records/keys.h"

namespace tsunagi::passport {

// References outlive everything that is made with the context.
struct RecordContext {
  audit::Journal& journal;
  const crypto::PrivateKey& signing_key;  // ES256, listed in the directory
  const identity::TrustStore& trust;
  const Clock& clock;
  Random& random;
  std::string did;         // this participant
  std::string federation;  // stands in every batch
  RecordSecrets secrets;
};

}  // namespace tsunagi::passport
