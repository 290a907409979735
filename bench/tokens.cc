#include "bench/tokens.h"

#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "core/audit/journal.h"
#include "core/base/bytes.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/crypto/openssl.h"
#include "core/store/store.h"
#include "identity/registrar.h"
#include "identity/token.h"
#include "openssl/ecdsa.h"
#include "openssl/evp.h"

namespace tsunagi::bench {
namespace {

constexpr char kFederation[] = "bench.example";
constexpr size_t kHalf = 32;

// What bare OpenSSL needs of a token, prepared.
struct Signed {
  std::string input;
  std::string der;
};

Signed Prepare(const std::string& token) {
  const size_t end = token.rfind('.');
  const std::string raw = FromBase64Url(absl::string_view(token).substr(end + 1)).value();
  const crypto::SslUniquePtr<ECDSA_SIG, ECDSA_SIG_free> signature(ECDSA_SIG_new());
  const auto* bytes = crypto::Bytes(absl::string_view(raw));
  ECDSA_SIG_set0(signature.get(), BN_bin2bn(bytes, kHalf, nullptr), BN_bin2bn(bytes + kHalf, kHalf, nullptr));
  return {token.substr(0, end), crypto::ToDer(i2d_ECDSA_SIG, signature.get())};
}

bool VerifyBare(EVP_PKEY* key, const Signed& one) {
  const crypto::EvpMdCtxPtr context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), crypto::Bytes(absl::string_view(one.der)), one.der.size(),
                          crypto::Bytes(absl::string_view(one.input)), one.input.size()) == 1;
}

// A registrar and what a node knows of it.
class Issuer {
 public:
  static absl::StatusOr<std::unique_ptr<Issuer>> Open(const std::string& folder) {
    const SystemClock clock;
    ASSIGN_OR_RETURN(identity::Authority authority,
                     identity::LoadOrCreateAuthority(folder, kFederation, clock.Now()));
    std::unique_ptr<Issuer> issuer(new Issuer(std::move(authority)));
    RETURN_IF_ERROR(issuer->Start());
    return issuer;
  }

  // Different ones, since each signature is.
  absl::StatusOr<std::vector<std::string>> Issue(int count) const {
    identity::TokenClaims claims;
    claims.subject = "did:web:bench.example:participants:dealer";
    claims.certificate_sha256 = std::string(32, 'c');
    claims.issued_at = clock_.Now();
    claims.expires_at = clock_.Now() + absl::Hours(24);
    std::vector<std::string> tokens;
    for (int i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(tokens.emplace_back(),
                       identity::IssueToken(authority_.Get()->token, kFederation, claims));
    }
    return tokens;
  }
  EVP_PKEY* key() const { return authority_.Get()->token.public_key().native(); }
  const identity::TrustStore& trust() const { return registrar_->trust(); }
  const Clock& clock() const { return clock_; }

 private:
  explicit Issuer(identity::Authority authority)
      : authority_(std::move(authority)), store_(store::NewMemoryStore()) {}

  absl::Status Start() {
    ASSIGN_OR_RETURN(journal_,
                     audit::Journal::Open(*store_, identity::LogOrigin("registrar", "registrar", kFederation),
                                          authority_.Get()->log, random_));
    ASSIGN_OR_RETURN(registrar_, identity::Registrar::Open({*journal_,
                                                            authority_,
                                                            clock_,
                                                            random_,
                                                            {kFederation, kFederation, "https://127.0.0.1:1",
                                                             absl::Hours(168), absl::Hours(24)}}));
    return absl::OkStatus();
  }

  const SystemClock clock_;
  SystemRandom random_;
  identity::AuthorityInUse authority_;
  const std::unique_ptr<store::Store> store_;
  std::unique_ptr<identity::Registrar> registrar_;  // outlives the journal, which completes its acts
  std::unique_ptr<audit::Journal> journal_;
};

// Seconds that `verify` takes for all of `items`; an error when it refuses one.
template <class Item, class Verify>
absl::StatusOr<double> Time(const std::vector<Item>& items, const Verify& verify) {
  const absl::Time begin = absl::Now();
  for (const Item& item : items) {
    if (!verify(item)) return absl::InternalError("a token of the registrar was refused");
  }
  return absl::ToDoubleSeconds(absl::Now() - begin);
}

absl::StatusOr<TokenRound> Measure(const Issuer& issuer, const std::vector<std::string>& tokens,
                                   const std::vector<Signed>& prepared) {
  identity::TokenVerifier verifier(issuer.trust(), issuer.clock());
  const auto verify = [&](const std::string& token) { return verifier.Verify(token).ok(); };
  const auto count = static_cast<double>(tokens.size());
  ASSIGN_OR_RETURN(const double cold, Time(tokens, verify));
  ASSIGN_OR_RETURN(const double cached, Time(tokens, verify));
  ASSIGN_OR_RETURN(const double bare,
                   Time(prepared, [&](const Signed& one) { return VerifyBare(issuer.key(), one); }));
  return TokenRound{count / cold, cached / count * 1e9, count / bare};
}

}  // namespace

absl::StatusOr<std::vector<TokenRound>> MeasureTokens(const std::string& folder, const TokenLoad& load) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Issuer> issuer, Issuer::Open(folder));
  ASSIGN_OR_RETURN(const std::vector<std::string> tokens, issuer->Issue(load.tokens));
  std::vector<Signed> prepared;
  prepared.reserve(tokens.size());
  for (const std::string& token : tokens) prepared.push_back(Prepare(token));
  RETURN_IF_ERROR(Measure(*issuer, tokens, prepared).status());  // warm-up

  std::vector<TokenRound> rounds;
  for (int round = 0; round < load.rounds; ++round) {
    ASSIGN_OR_RETURN(rounds.emplace_back(), Measure(*issuer, tokens, prepared));
  }
  return rounds;
}

}  // namespace tsunagi::bench
