#include "core/crypto/time_stamp.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/error.h"
#include "core/base/fatal.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/crypto/openssl.h"
#include "openssl/err.h"
#include "openssl/pem.h"
#include "openssl/ts.h"

namespace tsunagi::crypto {
namespace {

using AlgorithmPtr = SslUniquePtr<X509_ALGOR, X509_ALGOR_free>;
using ImprintPtr = SslUniquePtr<TS_MSG_IMPRINT, TS_MSG_IMPRINT_free>;
using IntegerPtr = SslUniquePtr<ASN1_INTEGER, ASN1_INTEGER_free>;
using ObjectPtr = SslUniquePtr<ASN1_OBJECT, ASN1_OBJECT_free>;
using RequestPtr = SslUniquePtr<TS_REQ, TS_REQ_free>;
using ResponsePtr = SslUniquePtr<TS_RESP, TS_RESP_free>;
using InfoPtr = SslUniquePtr<TS_TST_INFO, TS_TST_INFO_free>;
using CheckPtr = SslUniquePtr<TS_VERIFY_CTX, TS_VERIFY_CTX_free>;

constexpr size_t kMinNonce = 8;
constexpr size_t kMaxNonce = 32;
constexpr size_t kMaxObjectIdentifier = 128;
constexpr size_t kMaxRoots = 16;
constexpr int kMaxChain = 8;
// 112 bits of security in certificates: no SHA-1, no RSA below 2048 bits.
constexpr int kAuthLevel = 2;

absl::Status Invalid(absl::string_view what) {
  return SslError(absl::StatusCode::kInvalidArgument, absl::StrCat("not a time stamp: ", what));
}

// The reason, and what OpenSSL adds to it, such as which check of a certificate failed.
absl::Status Untrusted(absl::string_view what) {
  const char* data = nullptr;
  int flags = 0;
  ERR_peek_last_error_data(&data, &flags);
  const std::string more = (flags & ERR_TXT_STRING) != 0 && data != nullptr ? data : "";
  const absl::Status status =
      SslError(absl::StatusCode::kUnauthenticated, absl::StrCat("time stamp refused: ", what));
  return more.empty() ? status : absl::UnauthenticatedError(absl::StrCat(status.message(), ": ", more));
}

std::string Dotted(const ASN1_OBJECT* object) {
  std::array<char, kMaxObjectIdentifier + 1> text = {};
  const int size = OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, /*no_name=*/1);
  return size > 0 ? std::string(text.data()) : "";
}

// Null unless it is one in its one spelling.
ObjectPtr ToObject(const std::string& dotted) {
  ObjectPtr object(dotted.size() <= kMaxObjectIdentifier ? OBJ_txt2obj(dotted.c_str(), /*no_name=*/1)
                                                         : nullptr);
  ERR_clear_error();
  return object != nullptr && Dotted(object.get()) == dotted ? std::move(object) : nullptr;
}

bool SetImprint(TS_REQ* request, absl::string_view message) {
  const AlgorithmPtr algorithm(X509_ALGOR_new());
  const ImprintPtr imprint(TS_MSG_IMPRINT_new());
  Digest digest = Sha256(message);
  return X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr) == 1 &&
         TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) == 1 &&
         TS_MSG_IMPRINT_set_msg(imprint.get(), Bytes(digest), static_cast<int>(digest.size())) == 1 &&
         TS_REQ_set_msg_imprint(request, imprint.get()) == 1;
}

bool SetNonce(TS_REQ* request, absl::string_view nonce) {
  const BignumPtr number(BN_bin2bn(Bytes(nonce), static_cast<int>(nonce.size()), nullptr));
  const IntegerPtr integer(BN_to_ASN1_INTEGER(number.get(), nullptr));
  return TS_REQ_set_nonce(request, integer.get()) == 1;
}

// A request for exactly this; without nonce or policy when they are empty.
absl::StatusOr<RequestPtr> NewRequest(absl::string_view message, absl::string_view nonce,
                                      const std::string& policy) {
  RequestPtr request(TS_REQ_new());
  const bool ready = TS_REQ_set_version(request.get(), 1) == 1 && SetImprint(request.get(), message) &&
                     TS_REQ_set_cert_req(request.get(), 1) == 1;
  if (!ready || (!nonce.empty() && !SetNonce(request.get(), nonce))) Fatal("out of memory");
  if (policy.empty()) return request;
  const ObjectPtr object = ToObject(policy);
  if (object == nullptr || TS_REQ_set_policy_id(request.get(), object.get()) != 1) {
    return InvalidArgument({"POLICY_INVALID", "policy", policy, "an object identifier such as 1.2.3.4"});
  }
  return request;
}

absl::StatusOr<RequestPtr> NewRequest(const TimeStampQuery& query) {
  if (query.nonce.size() < kMinNonce || query.nonce.size() > kMaxNonce) {
    return absl::InvalidArgumentError(
        absl::StrCat("nonce of ", query.nonce.size(), " bytes: expected ", kMinNonce, " to ", kMaxNonce));
  }
  return NewRequest(query.message, query.nonce, query.policy);
}

// When the stamp says that it was made.
absl::StatusOr<absl::Time> TimeOf(PKCS7* token) {
  const InfoPtr info(PKCS7_to_TS_TST_INFO(token));
  std::tm fields = {};
  if (info == nullptr || ASN1_TIME_to_tm(TS_TST_INFO_get_time(info.get()), &fields) != 1) {
    return Invalid("expected a signed TSTInfo with its time");
  }
  return absl::FromTimeT(timegm(&fields));
}

// The roots, as of `at`: by then the certificates may have expired.
X509StorePtr NewStore(const std::vector<std::string>& certificates, absl::Time at) {
  X509StorePtr store(X509_STORE_new());
  for (const std::string& der : certificates) {
    if (X509_STORE_add_cert(store.get(), FromDer<X509Ptr>(d2i_X509, der).get()) != 1) Fatal("out of memory");
  }
  X509_VERIFY_PARAM* const parameters = X509_STORE_get0_param(store.get());
  X509_VERIFY_PARAM_set_time(parameters, absl::ToTimeT(at));
  X509_VERIFY_PARAM_set_depth(parameters, kMaxChain);
  X509_VERIFY_PARAM_set_auth_level(parameters, kAuthLevel);
  return store;
}

// What OpenSSL checks a token against: all of `request`, and the signature under `certificates`.
absl::StatusOr<CheckPtr> NewCheck(TS_REQ* request, PKCS7* token,
                                  const std::vector<std::string>& certificates) {
  ASSIGN_OR_RETURN(const absl::Time time, TimeOf(token));
  CheckPtr check(TS_REQ_to_TS_VERIFY_CTX(request, nullptr));
  if (check == nullptr) Fatal("out of memory");
  TS_VERIFY_CTX_add_flags(check.get(), TS_VFY_SIGNATURE);
  TS_VERIFY_CTX_set_store(check.get(), NewStore(certificates, time).release());
  return check;
}

std::string SubjectOf(X509* certificate) {
  const BioPtr text(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0,
                     XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  return BioBytes(text.get());
}

// What a token says whose signature was verified.
absl::StatusOr<TimeStamp> Read(PKCS7* token) {
  // Auth levels look at certificates only.
  const PKCS7_SIGNER_INFO* const signer = sk_PKCS7_SIGNER_INFO_value(PKCS7_get_signer_info(token), 0);
  const int digest = OBJ_obj2nid(signer->digest_alg->algorithm);
  if (digest != NID_sha256 && digest != NID_sha384 && digest != NID_sha512) {
    return Untrusted("its signature is over another digest than SHA-256, SHA-384 or SHA-512");
  }
  const X509StackPtr signers(PKCS7_get0_signers(token, nullptr, 0));
  const InfoPtr info(PKCS7_to_TS_TST_INFO(token));
  TimeStamp stamp;
  ASSIGN_OR_RETURN(stamp.time, TimeOf(token));
  stamp.policy = Dotted(TS_TST_INFO_get_policy_id(info.get()));
  stamp.authority = SubjectOf(sk_X509_value(signers.get(), 0));
  return stamp;
}

// RFC 3161 section 2.4.2, PKIFailureInfo.
std::string ReasonsOf(const ASN1_BIT_STRING* failures) {
  constexpr std::pair<int, absl::string_view> kReasons[] = {
      {TS_INFO_BAD_ALG, "badAlg"},
      {TS_INFO_BAD_REQUEST, "badRequest"},
      {TS_INFO_BAD_DATA_FORMAT, "badDataFormat"},
      {TS_INFO_TIME_NOT_AVAILABLE, "timeNotAvailable"},
      {TS_INFO_UNACCEPTED_POLICY, "unacceptedPolicy"},
      {TS_INFO_UNACCEPTED_EXTENSION, "unacceptedExtension"},
      {TS_INFO_ADD_INFO_NOT_AVAILABLE, "addInfoNotAvailable"},
      {TS_INFO_SYSTEM_FAILURE, "systemFailure"}};
  std::vector<absl::string_view> found;
  for (const auto& [bit, name] : kReasons) {
    if (failures != nullptr && ASN1_BIT_STRING_get_bit(failures, bit) == 1) found.push_back(name);
  }
  return found.empty() ? "it gives no reason" : absl::StrJoin(found, ", ");
}

absl::Status CheckGranted(TS_RESP* response) {
  const TS_STATUS_INFO* const info = TS_RESP_get_status_info(response);
  const long status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(info));
  if (status == TS_STATUS_GRANTED || status == TS_STATUS_GRANTED_WITH_MODS) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the stamping authority refused with status ", status,
                                                    ": ", ReasonsOf(TS_STATUS_INFO_get0_failure_info(info))));
}

}  // namespace

bool IsObjectIdentifier(const std::string& text) { return ToObject(text) != nullptr; }

absl::StatusOr<std::string> MakeTimeStampRequest(const TimeStampQuery& query) {
  ASSIGN_OR_RETURN(const RequestPtr request, NewRequest(query));
  return ToDer(i2d_TS_REQ, request.get());
}

absl::StatusOr<TimeStampVerifier> TimeStampVerifier::FromPem(absl::string_view roots_pem) {
  const BioPtr in(BIO_new_mem_buf(roots_pem.data(), static_cast<int>(roots_pem.size())));
  std::vector<std::string> certificates;
  bool has_root = false;
  while (const X509Ptr certificate{PEM_read_bio_X509(in.get(), nullptr, RefusePassPhrase, nullptr)}) {
    certificates.push_back(ToDer(i2d_X509, certificate.get()));
    has_root = has_root || X509_self_signed(certificate.get(), /*verify_signature=*/1) == 1;
  }
  // PEM_read fails at the end of the text, and at what is damaged.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end || certificates.empty() || certificates.size() > kMaxRoots || !has_root) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected 1 to ", kMaxRoots, " PEM certificates, of which one is a root"));
  }
  return TimeStampVerifier(std::move(certificates));
}

absl::StatusOr<StampedReply> TimeStampVerifier::OpenReply(absl::string_view reply,
                                                          const TimeStampQuery& query) const {
  if (reply.size() > kMaxTimeStampBytes) return Invalid("longer than 32 KiB");
  ASSIGN_OR_RETURN(const RequestPtr request, NewRequest(query));
  const ResponsePtr response = FromDer<ResponsePtr>(d2i_TS_RESP, reply);
  if (response == nullptr) return Invalid("expected one TimeStampResp in DER");
  RETURN_IF_ERROR(CheckGranted(response.get()));
  PKCS7* const token = TS_RESP_get_token(response.get());  // the parser takes nothing granted without one
  ASSIGN_OR_RETURN(const CheckPtr check, NewCheck(request.get(), token, certificates_));
  if (TS_RESP_verify_response(check.get(), response.get()) != 1) return Untrusted("the reply does not hold");
  StampedReply stamped;
  ASSIGN_OR_RETURN(stamped.stamp, Read(token));
  stamped.token = ToDer(i2d_PKCS7, token);
  return stamped;
}

absl::StatusOr<TimeStamp> TimeStampVerifier::Verify(absl::string_view token,
                                                    absl::string_view message) const {
  if (token.size() > kMaxTimeStampBytes) return Invalid("longer than 32 KiB");
  const Pkcs7Ptr native = FromDer<Pkcs7Ptr>(d2i_PKCS7, token);
  if (native == nullptr) return Invalid("expected one TimeStampToken in DER");
  ASSIGN_OR_RETURN(const RequestPtr request, NewRequest(message, "", ""));
  ASSIGN_OR_RETURN(const CheckPtr check, NewCheck(request.get(), native.get(), certificates_));
  if (TS_RESP_verify_token(check.get(), native.get()) != 1) return Untrusted("the token does not hold");
  return Read(native.get());
}

}  // namespace tsunagi::crypto
