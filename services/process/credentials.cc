#include "services/process/credentials.h"

#include <algorithm>
#include <utility>

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/names.h"
#include "services/process/enrolment.h"
#include "services/process/registrar.h"
#include "services/rpc/channel.h"

namespace tsunagi::process {
namespace {

constexpr absl::Duration kTokenRenewal = absl::Minutes(5);
constexpr size_t kMaxTokenBytes = 8 << 10;

absl::Time HalfLife(absl::Time from, absl::Time until) { return from + (until - from) / 2; }

bool TokenDue(const Identity& identity, absl::Time now) {
  const absl::Time half = HalfLife(identity.token_issued, identity.token_expires);
  return identity.token.empty() || now >= std::min(half, identity.token_issued + kTokenRenewal);
}

bool Retires(const crypto::Certificate& issuing, const identity::Bundle& bundle) {
  return std::any_of(bundle.anchors.begin(), bundle.anchors.end(), [&](const identity::Anchor& anchor) {
    return anchor.certificate.sha256 == issuing.sha256 && anchor.until != absl::InfiniteFuture();
  });
}

}  // namespace

Credentials::Credentials(const internal::v1::NodeConfig& config, std::string process, crypto::PrivateKey key,
                         const identity::TrustStore& trust, std::vector<crypto::Certificate> chain,
                         const Clock& clock)
    : config_(config),
      process_(std::move(process)),
      key_(std::move(key)),
      trust_(trust),
      clock_(clock),
      current_(std::make_shared<const Identity>(
          Identity{std::move(chain), "", absl::InfinitePast(), absl::InfinitePast()})) {}

std::shared_ptr<const Identity> Credentials::Current() const {
  MutexLock lock(mutex_);
  return current_;
}

void Credentials::Show(std::shared_ptr<const Identity> identity) {
  MutexLock lock(mutex_);
  current_ = std::move(identity);
}

absl::Status Credentials::TakeKeptToken(identity::TokenVerifier& tokens) {
  ASSIGN_OR_RETURN(const std::string token, ReadFile(config_.data_dir() + "/token", kMaxTokenBytes));
  ASSIGN_OR_RETURN(const identity::TokenClaims claims, tokens.Verify(token));
  auto next = std::make_shared<Identity>(*Current());
  if (!crypto::ConstantTimeEquals(claims.certificate_sha256, next->chain[0].sha256)) {
    return absl::UnauthenticatedError("the kept token is bound to an older certificate");
  }
  next->token = token;
  next->token_issued = claims.issued_at;
  next->token_expires = claims.expires_at;
  Show(std::move(next));
  return absl::OkStatus();
}

absl::Status Credentials::Renew() {
  const std::shared_ptr<const Identity> current = Current();
  if (ChainDue(*current)) {
    const absl::Status status = RenewChain(*current);
    if (status.ok()) return status;
    log::Warning("certificate was not renewed", {{"reason", std::string(status.message())}});
  }
  return TokenDue(*current, clock_.Now()) ? RenewToken(*current) : absl::OkStatus();
}

absl::StatusOr<absl::Time> Credentials::RenewNow() {
  RETURN_IF_ERROR(RenewChain(*Current()));
  return Current()->chain[0].not_after;
}

bool Credentials::ChainDue(const Identity& identity) const {
  const std::vector<crypto::Certificate>& chain = identity.chain;
  if (clock_.Now() >= HalfLife(chain[0].not_before, chain[0].not_after)) return true;
  return chain.size() > 1 && Retires(chain[1], *trust_.View()->bundle);
}

absl::Status Credentials::RenewChain(const Identity& current) {
  ASSIGN_OR_RETURN(
      std::vector<crypto::Certificate> chain,
      RenewCertificate(config_, process_, key_, trust_.View()->bundle->RootsAt(clock_.Now()), current.chain));
  ASSIGN_OR_RETURN(std::shared_ptr<Identity> next, WithNewToken(std::move(chain)));
  RETURN_IF_ERROR(KeepCertificate(config_, next->chain));
  RETURN_IF_ERROR(KeepToken(next->token));
  log::Info("certificate renewed",
            {{"until", absl::FormatTime(next->chain[0].not_after, absl::UTCTimeZone())}});
  Show(std::move(next));
  return absl::OkStatus();
}

absl::Status Credentials::RenewToken(const Identity& current) {
  ASSIGN_OR_RETURN(std::shared_ptr<Identity> next, WithNewToken(current.chain));
  RETURN_IF_ERROR(KeepToken(next->token));
  Show(std::move(next));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Identity>> Credentials::WithNewToken(
    std::vector<crypto::Certificate> chain) const {
  auto next = std::make_shared<Identity>();
  next->chain = std::move(chain);
  Registrar registrar(
      NewChannel(*next, config_.registrar().address(),
                 identity::ProcessDnsName("registrar", identity::kRegistrarLabel, config_.federation())));
  next->token_issued = clock_.Now();
  ASSIGN_OR_RETURN(const identity::v1::IssueTokenResponse response, registrar.IssueToken());
  next->token = response.token();
  ASSIGN_OR_RETURN(next->token_expires, FromProto(response.expire_time()));
  return next;
}

absl::Status Credentials::KeepToken(const std::string& token) const {
  return WriteFileAtomically(config_.data_dir() + "/token", token, 0600);
}

std::shared_ptr<grpc::Channel> Credentials::NewChannel(const Identity& identity, const std::string& address,
                                                       const std::string& expected_name) const {
  return rpc::NewChannel(address, expected_name, key_.ToPem(), ChainPem(identity.chain), trust_.RootsPem(),
                         identity.token, trust_.View()->bundle);
}

}  // namespace tsunagi::process
