#include "cli/profile.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "core/base/bytes.h"
#include "core/base/config.h"
#include "core/base/did.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"

namespace tsunagi::cli {
namespace {

constexpr size_t kMaxFile = 16 << 20;
constexpr char kConfigFile[] = "operator.yaml";
constexpr char kKeyFile[] = "operator.key";
constexpr char kCertificateFile[] = "operator.crt";
constexpr char kRootFile[] = "root.crt";
constexpr char kTokenFile[] = "token";
constexpr char kSessionFile[] = "session";
constexpr char kBundleFile[] = "trust-bundle";
constexpr char kParticipantsFile[] = "participants.pb";

absl::Status NotEnrolled(absl::string_view folder, absl::string_view missing) {
  return absl::FailedPreconditionError(absl::StrCat(
      "profile `", folder, "` has no ", missing,
      ": enrol with `tsunagi enrol --invitation-file FILE --config operator.yaml`, or name another "
      "folder with --profile"));
}

std::vector<FieldMistake> MistakesIn(const internal::v1::OperatorConfig& config) {
  const std::pair<absl::string_view, const std::string*> required[] = {
      {"federation", &config.federation()},
      {"participant", &config.participant()},
      {"registrar.address", &config.registrar().address()},
      {"registrar.est_url", &config.registrar().est_url()},
      {"registrar.root_sha256", &config.registrar().root_sha256()}};
  std::vector<FieldMistake> mistakes;
  for (const auto& [field, value] : required) {
    if (value->empty()) mistakes.push_back({std::string(field), "", "a value"});
  }
  if (!config.participant().empty() && !Label::Parse(config.participant()).ok()) {
    mistakes.push_back(
        {"participant", config.participant(), "the label that the registrar gave this participant"});
  }
  return mistakes;
}

}  // namespace

std::string DefaultProfile() {
  if (const char* profile = std::getenv("TSUNAGI_PROFILE"); profile != nullptr && *profile != '\0')
    return profile;
  const char* home = std::getenv("HOME");
  return absl::StrCat(home == nullptr ? "." : home, "/.tsunagi");
}

absl::StatusOr<internal::v1::OperatorConfig> LoadOperatorConfig(const std::string& path) {
  internal::v1::OperatorConfig config;
  RETURN_IF_ERROR(LoadYamlFile(path, config, [](const google::protobuf::Message& read) {
    return MistakesIn(static_cast<const internal::v1::OperatorConfig&>(read));
  }));
  return config;
}

std::string Profile::Path(absl::string_view name) const { return absl::StrCat(folder_, "/", name); }

absl::StatusOr<internal::v1::OperatorConfig> Profile::LoadConfig() const {
  auto config = LoadOperatorConfig(Path(kConfigFile));
  if (absl::IsNotFound(config.status())) return NotEnrolled(folder_, kConfigFile);
  return config;
}

absl::StatusOr<Credentials> Profile::LoadCredentials() const {
  const auto certificates = ReadFile(Path(kCertificateFile), kMaxFile);
  if (absl::IsNotFound(certificates.status())) return NotEnrolled(folder_, "certificate");
  RETURN_IF_ERROR(certificates.status());
  ASSIGN_OR_RETURN(auto chain, crypto::ParseCertificatesPem(*certificates));
  ASSIGN_OR_RETURN(const std::string root_pem, ReadFile(Path(kRootFile), kMaxFile));
  ASSIGN_OR_RETURN(auto root, crypto::ParseCertificatePem(root_pem));
  ASSIGN_OR_RETURN(auto key, LoadOrCreateKey());
  if (chain.empty() || chain.front().public_key.der() != key.public_key().der()) {
    return NotEnrolled(folder_, "certificate for its key");
  }
  return Credentials{std::move(key), std::move(chain), std::move(root)};
}

absl::Status Profile::SaveConfig(const std::string& config_path) const {
  if (mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::FailedPreconditionError(
        absl::StrCat("creating folder `", folder_, "`: ", std::strerror(errno)));
  }
  ASSIGN_OR_RETURN(const std::string content, ReadFile(config_path, kMaxFile));
  return WriteFileAtomically(Path(kConfigFile), content, 0644);
}

absl::StatusOr<crypto::PrivateKey> Profile::LoadOrCreateKey() const {
  return crypto::PrivateKey::LoadOrCreateForTls(Path(kKeyFile));
}

absl::Status Profile::SaveCertificates(const std::vector<crypto::Certificate>& chain,
                                       const crypto::Certificate& root) const {
  std::string pem;
  for (const crypto::Certificate& certificate : chain) pem += crypto::ToPem(certificate);
  RETURN_IF_ERROR(WriteFileAtomically(Path(kRootFile), crypto::ToPem(root), 0644));
  return WriteFileAtomically(Path(kCertificateFile), pem, 0644);
}

std::optional<identity::v1::SignedTrustBundle> Profile::LoadTrustBundle() const {
  const auto content = ReadFile(Path(kBundleFile), kMaxFile);
  identity::v1::SignedTrustBundle bundle;
  if (!content.ok() || !bundle.ParseFromString(*content)) return std::nullopt;
  return bundle;
}

absl::Status Profile::SaveTrustBundle(const identity::v1::SignedTrustBundle& bundle) const {
  return WriteFileAtomically(Path(kBundleFile), Encode(bundle), 0644);
}

std::optional<CachedToken> Profile::LoadToken(const crypto::Certificate& certificate) const {
  const auto content = ReadFile(Path(kTokenFile), kMaxFile);
  if (!content.ok()) return std::nullopt;
  const std::vector<std::string> lines = absl::StrSplit(*content, '\n');
  CachedToken token;
  if (lines.size() < 4 || lines[0] != ToHex(certificate.sha256) ||
      !absl::ParseTime(absl::RFC3339_full, lines[1], &token.issued_at, nullptr) ||
      !absl::ParseTime(absl::RFC3339_full, lines[2], &token.expires_at, nullptr)) {
    return std::nullopt;
  }
  token.token = lines[3];
  return token;
}

absl::Status Profile::SaveToken(const crypto::Certificate& certificate, const CachedToken& token) const {
  const auto text = [](absl::Time time) {
    return absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone());
  };
  return WriteFileAtomically(Path(kTokenFile),
                             absl::StrCat(ToHex(certificate.sha256), "\n", text(token.issued_at), "\n",
                                          text(token.expires_at), "\n", token.token, "\n"),
                             0600);
}

std::optional<AccountSession> Profile::LoadAccountSession() const {
  const auto content = ReadFile(Path(kSessionFile), kMaxFile);
  if (!content.ok()) return std::nullopt;
  const std::vector<std::string> lines = absl::StrSplit(*content, '\n');
  AccountSession session;
  if (lines.size() < 3 || !absl::ParseTime(absl::RFC3339_full, lines[1], &session.expires_at, nullptr) ||
      absl::Now() >= session.expires_at) {
    return std::nullopt;
  }
  session.account = lines[0];
  session.token = lines[2];
  return session;
}

absl::Status Profile::SaveAccountSession(const AccountSession& session) const {
  return WriteFileAtomically(
      Path(kSessionFile),
      absl::StrCat(session.account, "\n",
                   absl::FormatTime(absl::RFC3339_full, session.expires_at, absl::UTCTimeZone()), "\n",
                   session.token, "\n"),
      0600);
}

absl::Status Profile::RemoveAccountSession() const {
  if (std::remove(Path(kSessionFile).c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("removing `", Path(kSessionFile), "`"));
}

std::optional<identity::v1::ListParticipantsResponse> Profile::LoadParticipants() const {
  const auto content = ReadFile(Path(kParticipantsFile), kMaxFile);
  identity::v1::ListParticipantsResponse participants;
  if (!content.ok() || !Decode(*content, kParticipantsFile, participants).ok()) return std::nullopt;
  return participants;
}

absl::Status Profile::SaveParticipants(const identity::v1::ListParticipantsResponse& participants) const {
  return WriteFileAtomically(Path(kParticipantsFile), Encode(participants), 0600);
}

}  // namespace tsunagi::cli
