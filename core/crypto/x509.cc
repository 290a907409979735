#include "core/crypto/x509.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/fatal.h"
#include "core/base/status_macros.h"

namespace tsunagi::crypto {
namespace {

using GeneralNamePtr = SslUniquePtr<GENERAL_NAME, GENERAL_NAME_free>;

// A NUL or blank inside would read differently elsewhere.
absl::StatusOr<std::string> ReadName(const ASN1_IA5STRING& text) {
  const std::string name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(&text)),
                         static_cast<size_t>(ASN1_STRING_length(&text)));
  const bool visible = std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (name.empty() || !visible) {
    return InvalidArgument({"NAME_INVALID", "subject_alt_name", name, "visible ASCII characters only"});
  }
  return name;
}

void Append(GENERAL_NAMES* names, int type, ASN1_STRING* value) {
  GeneralNamePtr name(GENERAL_NAME_new());
  GENERAL_NAME_set0_value(name.get(), type, value);
  if (sk_GENERAL_NAME_push(names, name.get()) == 0) Fatal("out of memory");
  name.release();
}

void AppendText(GENERAL_NAMES* names, int type, absl::string_view text) {
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  if (ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) != 1) Fatal("out of memory");
  Append(names, type, value);
}

absl::Status AppendAddress(GENERAL_NAMES* names, const std::string& text) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(text.c_str());
  if (address == nullptr) {
    return InvalidArgument({"ADDRESS_INVALID", "ip_address", text, "an IPv4 or IPv6 address"});
  }
  Append(names, GEN_IPADD, address);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AltNames> ReadAltNames(const GENERAL_NAMES& names) {
  AltNames read;
  for (int i = 0; i < sk_GENERAL_NAME_num(&names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(&names, i);
    if (name->type != GEN_URI && name->type != GEN_DNS) {
      read.has_others = true;
      continue;
    }
    ASSIGN_OR_RETURN(std::string text, ReadName(*name->d.ia5));
    (name->type == GEN_URI ? read.uris : read.dns_names).push_back(std::move(text));
  }
  return read;
}

absl::StatusOr<ExtensionPtr> MakeAltNames(const std::vector<std::string>& uris,
                                          const std::vector<std::string>& dns_names,
                                          const std::vector<std::string>& ip_addresses) {
  const GeneralNamesPtr names(sk_GENERAL_NAME_new_null());
  for (const std::string& uri : uris) AppendText(names.get(), GEN_URI, uri);
  for (const std::string& dns_name : dns_names) AppendText(names.get(), GEN_DNS, dns_name);
  for (const std::string& address : ip_addresses) RETURN_IF_ERROR(AppendAddress(names.get(), address));
  if (sk_GENERAL_NAME_num(names.get()) == 0) return ExtensionPtr();
  RETURN_IF_ERROR(ReadAltNames(*names).status());
  ExtensionPtr extension(X509V3_EXT_i2d(NID_subject_alt_name, /*crit=*/0, names.get()));
  if (extension == nullptr) return SslError(absl::StatusCode::kInternal, "encoding subjectAltName failed");
  return extension;
}

absl::Status SetCommonName(X509_NAME* subject, absl::string_view name) {
  if (X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, Bytes(name),
                                 static_cast<int>(name.size()), -1, 0) != 1 ||
      name.empty()) {
    return SslError(absl::StatusCode::kInvalidArgument, "the common name is not 1 to 64 characters of UTF-8");
  }
  return absl::OkStatus();
}

const EVP_MD* SignatureDigest(const PrivateKey& key) {
  return key.algorithm() == common::v1::SIGNATURE_ALGORITHM_ES256 ? EVP_sha256() : nullptr;
}

}  // namespace tsunagi::crypto
