#include "identity/authority.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"

namespace tsunagi::identity {
namespace {

using crypto::Certificate;
using crypto::PrivateKey;

constexpr absl::Duration kRootLife = absl::Hours(30 * 365 * 24);
constexpr absl::Duration kSignerLife = absl::Hours(15 * 365 * 24);
constexpr absl::Duration kClockMargin = absl::Minutes(5);
constexpr size_t kMaxCertificateFile = 64 << 10;
constexpr size_t kMaxKeyFile = 8 << 10;
constexpr auto kEs256 = common::v1::SIGNATURE_ALGORITHM_ES256;
constexpr auto kEd25519 = common::v1::SIGNATURE_ALGORITHM_ED25519;

absl::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (!error) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("folder `", folder, "` cannot be made: ", error.message()));
}

// Checks that the kept certificate belongs to the key and to what it is for.
absl::StatusOr<Certificate> LoadCertificate(const std::string& path, const std::string& pem,
                                            const PrivateKey& key,
                                            const crypto::CertificateTemplate& expected) {
  ASSIGN_OR_RETURN(Certificate certificate, crypto::ParseCertificatePem(pem));
  if (certificate.public_key.id() != key.id() || certificate.uris != expected.uris ||
      certificate.is_ca != expected.is_ca) {
    return absl::FailedPreconditionError(absl::StrCat(
        "`", path, "` is not the certificate of the key beside it, or is of another federation"));
  }
  return certificate;
}

// A crash may have left a key behind that an earlier root certified.
bool Certified(const CertifiedKey& issuer, const Certificate& certificate) {
  return crypto::VerifyChain({certificate}, issuer.certificate, certificate.not_before).ok();
}

absl::StatusOr<CertifiedKey> LoadOrIssue(const std::string& folder, const std::string& name,
                                         const crypto::CertificateTemplate& cert,
                                         const CertifiedKey* issuer) {
  ASSIGN_OR_RETURN(PrivateKey key, PrivateKey::LoadOrCreate(absl::StrCat(folder, "/", name, ".key"), kEs256));
  const std::string path = absl::StrCat(folder, "/", name, ".crt");
  const absl::StatusOr<std::string> pem = ReadFile(path, kMaxCertificateFile);
  if (pem.ok()) {
    ASSIGN_OR_RETURN(Certificate kept, LoadCertificate(path, *pem, key, cert));
    if (issuer == nullptr || Certified(*issuer, kept)) return CertifiedKey{std::move(key), std::move(kept)};
  } else if (!absl::IsNotFound(pem.status())) {
    return pem.status();
  }
  std::optional<Certificate> parent;
  if (issuer != nullptr) parent = issuer->certificate;
  ASSIGN_OR_RETURN(
      Certificate issued,
      crypto::IssueCertificate(cert, key.public_key(), issuer != nullptr ? issuer->key : key, parent));
  RETURN_IF_ERROR(WriteFileAtomically(path, crypto::ToPem(issued), 0644));
  return CertifiedKey{std::move(key), std::move(issued)};
}

crypto::CertificateTemplate Template(std::string name, std::vector<std::string> uris, absl::Time now,
                                     absl::Duration life, bool is_ca) {
  crypto::CertificateTemplate cert;
  cert.name = std::move(name);
  cert.uris = std::move(uris);
  cert.not_before = now - kClockMargin;
  cert.not_after = now + life;
  cert.is_ca = is_ca;
  return cert;
}

bool IsIpAddress(absl::string_view host) {
  return host.find(':') != absl::string_view::npos || std::all_of(host.begin(), host.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '.';
         });
}

}  // namespace

std::string KeyName(absl::string_view kind, uint32_t number) {
  return number <= 1 ? std::string(kind) : absl::StrCat(kind, "-", number);
}

// The federation stands in the URI of both CAs, so that one folder cannot serve two federations.
absl::StatusOr<CertifiedKey> LoadOrMakeRoot(const std::string& folder, absl::string_view federation,
                                            uint32_t number, absl::Time now) {
  const std::string name = KeyName("root", number);
  return LoadOrIssue(folder, name,
                     Template(absl::StrCat(federation, " ", name), {absl::StrCat("spiffe://", federation)},
                              now, kRootLife, true),
                     nullptr);
}

absl::StatusOr<CertifiedKey> LoadOrMakeIssuing(const std::string& folder, absl::string_view federation,
                                               uint32_t number, const CertifiedKey& root, absl::Time now) {
  const std::string name = KeyName("issuing", number);
  return LoadOrIssue(folder, name,
                     Template(absl::StrCat(federation, " ", name), {absl::StrCat("spiffe://", federation)},
                              now, kSignerLife, true),
                     &root);
}

absl::StatusOr<CertifiedKey> LoadOrMakeDirectory(const std::string& folder, absl::string_view federation,
                                                 uint32_t number, const CertifiedKey& root, absl::Time now) {
  return LoadOrIssue(
      folder, KeyName("directory", number),
      Template(absl::StrCat(federation, " directory"), {DirectoryUri(federation)}, now, kSignerLife, false),
      &root);
}

absl::StatusOr<CertifiedKey> LoadOrMakeStatus(const std::string& folder, absl::string_view federation,
                                              uint32_t number, const CertifiedKey& root, absl::Time now) {
  return LoadOrIssue(
      folder, KeyName("status", number),
      Template(absl::StrCat(federation, " status"), {StatusUri(federation)}, now, kSignerLife, false), &root);
}

absl::StatusOr<PrivateKey> LoadOrMakeToken(const std::string& folder, uint32_t number) {
  return PrivateKey::LoadOrCreate(absl::StrCat(folder, "/", KeyName("token", number), ".key"), kEs256);
}

absl::StatusOr<PrivateKey> LoadRootKey(const std::string& folder, uint32_t number) {
  ASSIGN_OR_RETURN(const std::string pem,
                   ReadSecretFile(absl::StrCat(folder, "/", KeyName("root", number), ".key"), kMaxKeyFile));
  return PrivateKey::FromPem(pem);
}

absl::StatusOr<Authority> LoadOrCreateAuthority(const std::string& folder, absl::string_view federation,
                                                absl::Time now, const internal::v1::StoredAuthority& stored) {
  RETURN_IF_ERROR(CheckFederation(federation));
  RETURN_IF_ERROR(MakeFolder(folder));
  ASSIGN_OR_RETURN(CertifiedKey root, LoadOrMakeRoot(folder, federation, stored.root(), now));
  ASSIGN_OR_RETURN(CertifiedKey issuing, LoadOrMakeIssuing(folder, federation, stored.issuing(), root, now));
  ASSIGN_OR_RETURN(CertifiedKey directory,
                   LoadOrMakeDirectory(folder, federation, stored.directory(), root, now));
  ASSIGN_OR_RETURN(CertifiedKey status, LoadOrMakeStatus(folder, federation, stored.status(), root, now));
  ASSIGN_OR_RETURN(PrivateKey token, LoadOrMakeToken(folder, stored.token()));
  ASSIGN_OR_RETURN(PrivateKey approval, PrivateKey::LoadOrCreate(folder + "/approval.key", kEs256));
  ASSIGN_OR_RETURN(PrivateKey credential, PrivateKey::LoadOrCreate(folder + "/credential.key", kEs256));
  ASSIGN_OR_RETURN(PrivateKey log, PrivateKey::LoadOrCreate(folder + "/log.key", kEd25519));
  ASSIGN_OR_RETURN(PrivateKey witness, PrivateKey::LoadOrCreate(folder + "/witness.key", kEd25519));
  Authority authority{.root = std::move(root),
                      .issuing = std::move(issuing),
                      .directory = std::move(directory),
                      .status = std::move(status),
                      .token = std::move(token),
                      .approval = std::move(approval),
                      .credential = std::move(credential),
                      .log = std::move(log),
                      .witness = std::move(witness)};
  if (stored.token() > 1) {
    ASSIGN_OR_RETURN(authority.token_from, FromProto(stored.token_from()));
    ASSIGN_OR_RETURN(authority.former_token, LoadOrMakeToken(folder, stored.token() - 1));
  }
  return authority;
}

absl::StatusOr<Certificate> IssueProcessCertificate(const Authority& authority, const ProcessName& name,
                                                    const crypto::PublicKey& key, absl::Time now,
                                                    absl::Duration life) {
  crypto::CertificateTemplate cert =
      Template(absl::StrCat(name.process, ".", name.label),
               {ProcessUri(name.process, name.label, name.federation)}, now, life, false);
  cert.dns_names = {ProcessDnsName(name.process, name.label, name.federation)};
  cert.not_after = std::min(cert.not_after, authority.issuing.certificate.not_after);
  cert.server_auth = true;
  cert.client_auth = true;
  return crypto::IssueCertificate(cert, key, authority.issuing.key, authority.issuing.certificate);
}

absl::StatusOr<Certificate> IssueServerCertificate(const Authority& authority,
                                                   const std::vector<std::string>& hosts,
                                                   const crypto::PublicKey& key, absl::Time now,
                                                   absl::Duration life) {
  crypto::CertificateTemplate cert = Template("registrar", {}, now, life, false);
  for (const std::string& host : hosts)
    (IsIpAddress(host) ? cert.ip_addresses : cert.dns_names).push_back(host);
  cert.server_auth = true;
  return crypto::IssueCertificate(cert, key, authority.issuing.key, authority.issuing.certificate);
}

}  // namespace tsunagi::identity
