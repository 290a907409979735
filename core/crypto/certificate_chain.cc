#include <ctime>

#include "absl/strings/str_cat.h"
#include "core/base/fatal.h"
#include "core/crypto/certificate.h"
#include "core/crypto/openssl.h"
#include "core/crypto/x509.h"
#include "openssl/err.h"

namespace tsunagi::crypto {
namespace {

constexpr size_t kMaxChain = 4;
// 112 bits of security: no SHA-1.
constexpr int kAuthLevel = 2;

// Sets what counts: strict RFC 5280 form, the given time, signatures of at least kAuthLevel.
void SetParameters(X509_STORE_CTX* context, absl::Time at) {
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_VERIFY_PARAM_set_time(parameters, absl::ToTimeT(at));
  X509_VERIFY_PARAM_set_depth(parameters, static_cast<int>(kMaxChain));
  X509_VERIFY_PARAM_set_auth_level(parameters, kAuthLevel);
}

}  // namespace

absl::Status VerifyChain(const std::vector<Certificate>& chain, const Certificate& root, absl::Time at) {
  if (chain.empty() || chain.size() > kMaxChain) {
    return absl::UnauthenticatedError(
        absl::StrCat("certificate chain of ", chain.size(), ": expected 1 to ", kMaxChain));
  }
  std::vector<X509Ptr> natives;
  for (const Certificate& certificate : chain) natives.push_back(ToNative(certificate));
  const X509Ptr native_root = ToNative(root);
  const X509StorePtr store(X509_STORE_new());
  const X509StackPtr others(sk_X509_new_null());
  const X509StoreCtxPtr context(X509_STORE_CTX_new());
  bool ready = X509_STORE_add_cert(store.get(), native_root.get()) == 1;
  for (size_t i = 1; i < natives.size(); ++i)
    ready = ready && sk_X509_push(others.get(), natives[i].get()) > 0;
  ready = ready && X509_STORE_CTX_init(context.get(), store.get(), natives[0].get(), others.get()) == 1;
  if (!ready) Fatal("preparing the check of a certificate chain failed");
  SetParameters(context.get(), at);
  const bool valid = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  if (valid) return absl::OkStatus();
  return absl::UnauthenticatedError(
      absl::StrCat("certificate chain refused at depth ", X509_STORE_CTX_get_error_depth(context.get()), ": ",
                   X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()))));
}

}  // namespace tsunagi::crypto
