// Root and certificate of a process: from its folder, or from the registrar over EST. Blocking.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/crypto/certificate.h"
#include "core/crypto/key.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::process {

// The root that the invitation pins: from <data_dir>/root.crt or <data_dir>/trust-bundle, fetched when
// neither is there; believed because of registrar.root_sha256.
absl::StatusOr<crypto::Certificate> LoadRoot(const internal::v1::NodeConfig& config);

// The process's certificate chain (leaf first): <data_dir>/tls.crt; enrolled with the invitation when it is
// missing or of another key, renewed when it has expired. FAILED_PRECONDITION when it must enrol and has no
// invitation.
absl::StatusOr<std::vector<crypto::Certificate>> LoadCertificate(
    const internal::v1::NodeConfig& config, const std::string& process, const crypto::PrivateKey& key,
    const std::vector<crypto::Certificate>& roots, const Clock& clock);

// A new chain over the one that is held, not yet kept.
absl::StatusOr<std::vector<crypto::Certificate>> RenewCertificate(
    const internal::v1::NodeConfig& config, const std::string& process, const crypto::PrivateKey& key,
    const std::vector<crypto::Certificate>& roots, const std::vector<crypto::Certificate>& chain);

// Keeps the chain as <data_dir>/tls.crt.
absl::Status KeepCertificate(const internal::v1::NodeConfig& config,
                             const std::vector<crypto::Certificate>& chain);

// The chain as PEM, leaf first.
std::string ChainPem(const std::vector<crypto::Certificate>& chain);

}  // namespace tsunagi::process
