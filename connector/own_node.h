// What the connector knows of the participant that it works for.
#pragma once

#include <string>

#include "core/crypto/key.h"

namespace tsunagi::connector {

struct OwnNode {
  std::string did;
  std::string label;
  std::string federation;
  // Process that issues Grants, and the one that reads under them: both `node`, or `connector` and
  // `passport`.
  std::string process;
  std::string passport_process;
  // The participant's ES256 key: signs agreements.
  crypto::PrivateKey signing_key;
  // RequestDigestKey of the node's key; never leaves the node.
  std::string request_digest_key;
};

}  // namespace tsunagi::connector
