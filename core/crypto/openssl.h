// Ownership and errors of OpenSSL's C objects.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "openssl/bio.h"
#include "openssl/bn.h"
#include "openssl/evp.h"
#include "openssl/pkcs7.h"
#include "openssl/x509.h"
#include "openssl/x509v3.h"

namespace tsunagi::crypto {

template <auto Free>
struct SslDeleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

// A unique pointer that frees with `Free`.
template <typename T, auto Free>
using SslUniquePtr = std::unique_ptr<T, SslDeleter<Free>>;

inline void FreeExtensions(STACK_OF(X509_EXTENSION) * extensions) {
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}
inline void FreeStack(STACK_OF(X509) * stack) { sk_X509_free(stack); }

using BignumPtr = SslUniquePtr<BIGNUM, BN_clear_free>;
using BioPtr = SslUniquePtr<BIO, BIO_free_all>;
using EvpPkeyPtr = SslUniquePtr<EVP_PKEY, EVP_PKEY_free>;
using EvpPkeyCtxPtr = SslUniquePtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using EvpMdCtxPtr = SslUniquePtr<EVP_MD_CTX, EVP_MD_CTX_free>;
using EvpMacCtxPtr = SslUniquePtr<EVP_MAC_CTX, EVP_MAC_CTX_free>;
using ExtensionPtr = SslUniquePtr<X509_EXTENSION, X509_EXTENSION_free>;
using ExtensionsPtr = SslUniquePtr<STACK_OF(X509_EXTENSION), FreeExtensions>;
using GeneralNamesPtr = SslUniquePtr<GENERAL_NAMES, GENERAL_NAMES_free>;
using Pkcs7Ptr = SslUniquePtr<PKCS7, PKCS7_free>;
using X509Ptr = SslUniquePtr<X509, X509_free>;
using X509ReqPtr = SslUniquePtr<X509_REQ, X509_REQ_free>;
using X509StackPtr = SslUniquePtr<STACK_OF(X509), FreeStack>;
using X509StorePtr = SslUniquePtr<X509_STORE, X509_STORE_free>;
using X509StoreCtxPtr = SslUniquePtr<X509_STORE_CTX, X509_STORE_CTX_free>;

inline const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
inline unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// For PEM_read: OpenSSL must never ask for a pass phrase on the terminal.
inline int RefusePassPhrase(char*, int, int, void*) { return -1; }

// `what` with the last reason of OpenSSL's error queue of this thread, which is empty afterwards.
absl::Status SslError(absl::StatusCode code, absl::string_view what);

// The bytes that were written to a memory BIO.
std::string BioBytes(BIO* bio);

// DER of `object` by one of OpenSSL's i2d functions; empty when it fails.
template <typename T, typename I2d>
std::string ToDer(I2d i2d, T* object) {
  const int size = i2d(object, nullptr);
  if (size <= 0) return "";
  std::string der(static_cast<size_t>(size), '\0');
  unsigned char* out = Bytes(der);
  i2d(object, &out);
  return der;
}

// The object that `der` holds by one of OpenSSL's d2i functions; null unless it is that object and nothing
// more.
template <typename Ptr, typename D2i>
Ptr FromDer(D2i d2i, absl::string_view der) {
  const unsigned char* in = Bytes(der);
  Ptr object(d2i(nullptr, &in, static_cast<long>(der.size())));
  if (object != nullptr && in != Bytes(der) + der.size()) return nullptr;
  return object;
}

}  // namespace tsunagi::crypto
