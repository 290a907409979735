// Which roots this operator's command line believes.
#pragma once

#include "cli/profile.h"
#include "core/crypto/certificate.h"
#include "identity/bundle.h"

namespace tsunagi::cli {

// The bundle that the profile keeps, or the pinned root alone.
identity::Bundle KeptBundle(const Profile& profile, const internal::v1::OperatorConfig& config,
                            const crypto::Certificate& root);

// The registrar's newest bundle when a root of `believed` vouches for it, then kept in the profile;
// `believed` otherwise. Blocking.
identity::Bundle NewestBundle(const Profile& profile, const internal::v1::OperatorConfig& config,
                              identity::Bundle believed);

}  // namespace tsunagi::cli
