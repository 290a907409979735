// What every part of the registrar works with.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "core/audit/journal.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "identity/authority.h"

namespace tsunagi::identity {

struct RegistrarOptions {
  std::string federation;
  std::string did_host;  // host of did:web:<did_host>:participants:<label>
  std::string est_url;   // https://host:port
  absl::Duration certificate_life = absl::Hours(7 * 24);
  absl::Duration token_life = absl::Hours(24);
  bool two_person_approval = false;  // 二者承認
  std::string keys_folder = {};      // where the authority's key files lie
  bool publish_roster = false;       // offers the roster to everyone
};

// All references must outlive the registrar.
struct RegistrarContext {
  audit::Journal& journal;
  AuthorityInUse& authority;
  const Clock& clock;
  Random& random;
  RegistrarOptions options;
};

}  // namespace tsunagi::identity
