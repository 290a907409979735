#include "core/crypto/openssl.h"

#include "absl/strings/str_cat.h"
#include "openssl/err.h"

namespace tsunagi::crypto {

absl::Status SslError(absl::StatusCode code, absl::string_view what) {
  const unsigned long last = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = last == 0 ? nullptr : ERR_reason_error_string(last);
  if (reason == nullptr) return absl::Status(code, what);
  return absl::Status(code, absl::StrCat(what, " (", reason, ")"));
}

std::string BioBytes(BIO* bio) {
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio, const_cast<char**>(&data));
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : "";
}

}  // namespace tsunagi::crypto
