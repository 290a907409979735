#include "services/process/enrolment.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/bundle.h"
#include "identity/names.h"
#include "services/http/est_client.h"

namespace tsunagi::process {
namespace {

using crypto::Certificate;
using internal::v1::NodeConfig;

constexpr size_t kMaxPemBytes = 1 << 20;
constexpr size_t kMaxCodeBytes = 1 << 10;

std::string RootPath(const NodeConfig& config) { return config.data_dir() + "/root.crt"; }
std::string BundlePath(const NodeConfig& config) { return config.data_dir() + "/trust-bundle"; }
std::string CertificatePath(const NodeConfig& config) { return config.data_dir() + "/tls.crt"; }

absl::StatusOr<std::string> RequestFor(const NodeConfig& config, const std::string& process,
                                       const crypto::PrivateKey& key) {
  const std::string name = identity::ProcessDnsName(process, config.participant(), config.federation());
  return crypto::MakeCertificateRequest(
      key, name, {identity::ProcessUri(process, config.participant(), config.federation())}, {name});
}

absl::StatusOr<std::vector<Certificate>> Enrol(const NodeConfig& config, const std::string& process,
                                               const crypto::PrivateKey& key,
                                               const std::vector<Certificate>& roots) {
  if (config.invitation().code_file().empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "no certificate in `", CertificatePath(config),
        "` and `invitation.code_file` is empty: ask the registrar for an invitation and name its file"));
  }
  absl::StatusOr<std::string> code = ReadFile(config.invitation().code_file(), kMaxCodeBytes);
  if (!code.ok()) return Annotate(code.status(), "reading `invitation.code_file`");
  ASSIGN_OR_RETURN(const std::string request, RequestFor(config, process, key));
  ASSIGN_OR_RETURN(std::vector<Certificate> chain,
                   http::SimpleEnroll(config.registrar().est_url(), roots, config.participant(),
                                      absl::StripAsciiWhitespace(*code), request));
  RETURN_IF_ERROR(KeepCertificate(config, chain));
  log::Info("enrolled",
            {{"participant", config.participant()}, {"until", absl::FormatTime(chain[0].not_after)}});
  return chain;
}

// What this folder has: roots for TLS, and all that ever counted.
absl::StatusOr<std::vector<Certificate>> KeptRoots(const NodeConfig& config) {
  std::vector<Certificate> roots;
  const absl::StatusOr<std::string> pem = ReadFile(RootPath(config), kMaxPemBytes);
  if (!absl::IsNotFound(pem.status())) {
    RETURN_IF_ERROR(pem.status());
    ASSIGN_OR_RETURN(roots, crypto::ParseCertificatesPem(*pem));
  }
  const absl::StatusOr<std::string> bytes = ReadFile(BundlePath(config), identity::kMaxBundleBytes * 2);
  if (absl::IsNotFound(bytes.status())) return roots;
  RETURN_IF_ERROR(bytes.status());
  identity::v1::SignedTrustBundle kept;
  RETURN_IF_ERROR(Decode(*bytes, "kept trust bundle", kept));
  ASSIGN_OR_RETURN(const identity::Bundle bundle, identity::OpenBundle(kept, config.federation()));
  for (const identity::Anchor& anchor : bundle.anchors) roots.push_back(anchor.certificate);
  return roots;
}

}  // namespace

std::string ChainPem(const std::vector<Certificate>& chain) {
  std::string pem;
  for (const Certificate& certificate : chain) pem += crypto::ToPem(certificate);
  return pem;
}

absl::StatusOr<Certificate> LoadRoot(const NodeConfig& config) {
  const std::string& pinned = config.registrar().root_sha256();
  ASSIGN_OR_RETURN(const std::vector<Certificate> kept, KeptRoots(config));
  for (const Certificate& root : kept) {
    if (ToHex(root.sha256) == pinned) return root;
  }
  if (!kept.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("`registrar.root_sha256` is not that of `",
                                                      RootPath(config),
                                                      "`: this folder belongs to another federation"));
  }
  ASSIGN_OR_RETURN(Certificate root, http::FetchRoot(config.registrar().est_url(), pinned));
  RETURN_IF_ERROR(WriteFileAtomically(RootPath(config), crypto::ToPem(root), 0600));
  return root;
}

absl::Status KeepCertificate(const NodeConfig& config, const std::vector<Certificate>& chain) {
  return WriteFileAtomically(CertificatePath(config), ChainPem(chain), 0600);
}

absl::StatusOr<std::vector<Certificate>> RenewCertificate(const NodeConfig& config,
                                                          const std::string& process,
                                                          const crypto::PrivateKey& key,
                                                          const std::vector<Certificate>& roots,
                                                          const std::vector<Certificate>& chain) {
  ASSIGN_OR_RETURN(const std::string request, RequestFor(config, process, key));
  return http::SimpleReenroll(config.registrar().est_url(), roots, key, chain, request);
}

absl::StatusOr<std::vector<Certificate>> LoadCertificate(const NodeConfig& config, const std::string& process,
                                                         const crypto::PrivateKey& key,
                                                         const std::vector<Certificate>& roots,
                                                         const Clock& clock) {
  const absl::StatusOr<std::string> kept = ReadFile(CertificatePath(config), kMaxPemBytes);
  if (absl::IsNotFound(kept.status())) return Enrol(config, process, key, roots);
  RETURN_IF_ERROR(kept.status());
  ASSIGN_OR_RETURN(std::vector<Certificate> chain, crypto::ParseCertificatesPem(*kept));
  if (chain.empty() || chain[0].public_key.id() != key.id()) return Enrol(config, process, key, roots);
  if (clock.Now() < chain[0].not_after) return chain;
  ASSIGN_OR_RETURN(chain, RenewCertificate(config, process, key, roots, chain));
  RETURN_IF_ERROR(KeepCertificate(config, chain));
  return chain;
}

}  // namespace tsunagi::process
