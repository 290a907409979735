// A time-stamping authority in memory, which stamps at any time and does whatever a test wants wrong.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/crypto/certificate.h"
#include "core/crypto/digest.h"
#include "core/crypto/key.h"
#include "core/crypto/openssl.h"
#include "core/crypto/time_stamp.h"
#include "core/crypto/x509.h"
#include "openssl/cms.h"
#include "openssl/ts.h"

namespace tsunagi::crypto {

// Root and signer (P-256), made anew for each object.
class StampingAuthorityForTest {
 public:
  struct Options {
    absl::Time not_before = absl::Now() - absl::Hours(1);  // of the signer; the root lives 30 years longer
    absl::Time not_after = absl::Now() + absl::Hours(1);
    bool time_stamping = true;   // the signer's extended key usage
    bool under_issuing = false;  // the signer is not the root's but an issuing CA's, which tokens carry along
    const EVP_MD* digest = EVP_sha256();  // that the signature is over
    std::string policy = "1.2.392.7";     // unless the query names one
  };

  StampingAuthorityForTest() : StampingAuthorityForTest(Options()) {}
  explicit StampingAuthorityForTest(Options options)
      : options_(std::move(options)),
        root_(Issue("stamping root", /*is_ca=*/true, root_key_, root_key_, std::nullopt)),
        issuing_(Issue("stamping issuer", /*is_ca=*/true, issuing_key_, root_key_, root_)) {
    const bool under = options_.under_issuing;
    const PrivateKey& issuer_key = under ? issuing_key_ : root_key_;
    signer_ = ToNative(Issue("stamping unit", false, key_, issuer_key, under ? issuing_ : root_));
    if (options_.time_stamping) AddPurpose(issuer_key.native());
  }

  std::string root_pem() const { return ToPem(root_); }
  std::string issuing_pem() const { return ToPem(issuing_); }

  // TimeStampResp to exactly this query, made at `at`.
  std::string Reply(const TimeStampQuery& query, absl::Time at) const {
    const ResponsePtr response(TS_RESP_new());
    SetStatus(response.get(), TS_STATUS_GRANTED, -1);
    InfoPtr info = NewInfo(query, at);
    Pkcs7Ptr token = FromDer<Pkcs7Ptr>(d2i_PKCS7, Sign(info.get()));
    TS_RESP_set_tst_info(response.get(), token.release(), info.release());
    return ToDer(i2d_TS_RESP, response.get());
  }
  // A refusal with one of TS_STATUS_… and TS_INFO_….
  static std::string Refusal(int status, int failure) {
    const ResponsePtr response(TS_RESP_new());
    SetStatus(response.get(), status, failure);
    return ToDer(i2d_TS_RESP, response.get());
  }
  // TimeStampToken over `message`.
  std::string Token(const std::string& message, absl::Time at) const {
    return Sign(NewInfo({message, "", ""}, at).get());
  }

 private:
  using InfoPtr = SslUniquePtr<TS_TST_INFO, TS_TST_INFO_free>;
  using ResponsePtr = SslUniquePtr<TS_RESP, TS_RESP_free>;

  Certificate Issue(const char* name, bool is_ca, const PrivateKey& key, const PrivateKey& issuer_key,
                    const std::optional<Certificate>& issuer) const {
    CertificateTemplate made;
    made.name = name;
    made.not_before = options_.not_before;
    made.not_after = options_.not_after + (is_ca ? absl::Hours(24 * 365 * 30) : absl::ZeroDuration());
    made.is_ca = is_ca;
    return IssueCertificate(made, key.public_key(), issuer_key, issuer).value();
  }
  void AddPurpose(EVP_PKEY* issuer_key) {
    const ExtensionPtr purpose(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_ext_key_usage, "critical,timeStamping"));
    X509_add_ext(signer_.get(), purpose.get(), -1);
    X509_sign(signer_.get(), issuer_key, EVP_sha256());
  }
  static void SetStatus(TS_RESP* response, int status, int failure) {
    const SslUniquePtr<TS_STATUS_INFO, TS_STATUS_INFO_free> info(TS_STATUS_INFO_new());
    TS_STATUS_INFO_set_status(info.get(), status);
    TS_RESP_set_status_info(response, info.get());
    if (failure < 0) return;
    // No setter is public: PKIStatusInfo ::= SEQUENCE { status INTEGER, failInfo BIT STRING }.
    const SslUniquePtr<ASN1_BIT_STRING, ASN1_BIT_STRING_free> bits(ASN1_BIT_STRING_new());
    ASN1_BIT_STRING_set_bit(bits.get(), failure, 1);
    std::string fields = ToDer(i2d_ASN1_INTEGER, TS_STATUS_INFO_get0_status(info.get()));
    fields += ToDer(i2d_ASN1_BIT_STRING, bits.get());
    const std::string der = std::string("\x30") + static_cast<char>(fields.size()) + fields;
    using StatusPtr = SslUniquePtr<TS_STATUS_INFO, TS_STATUS_INFO_free>;
    TS_RESP_set_status_info(response, FromDer<StatusPtr>(d2i_TS_STATUS_INFO, der).get());
  }
  InfoPtr NewInfo(const TimeStampQuery& query, absl::Time at) const {
    InfoPtr info(TS_TST_INFO_new());
    TS_TST_INFO_set_version(info.get(), 1);
    const SslUniquePtr<ASN1_OBJECT, ASN1_OBJECT_free> policy(
        OBJ_txt2obj((query.policy.empty() ? options_.policy : query.policy).c_str(), 1));
    TS_TST_INFO_set_policy_id(info.get(), policy.get());
    const SslUniquePtr<X509_ALGOR, X509_ALGOR_free> algorithm(X509_ALGOR_new());
    X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr);
    const SslUniquePtr<TS_MSG_IMPRINT, TS_MSG_IMPRINT_free> imprint(TS_MSG_IMPRINT_new());
    TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get());
    Digest digest = Sha256(query.message);
    TS_MSG_IMPRINT_set_msg(imprint.get(), Bytes(digest), static_cast<int>(digest.size()));
    TS_TST_INFO_set_msg_imprint(info.get(), imprint.get());
    TS_TST_INFO_set_serial(info.get(), Integer("\x07").get());
    const SslUniquePtr<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free> time(
        ASN1_GENERALIZEDTIME_set(nullptr, absl::ToTimeT(at)));
    TS_TST_INFO_set_time(info.get(), time.get());
    if (!query.nonce.empty()) TS_TST_INFO_set_nonce(info.get(), Integer(query.nonce).get());
    return info;
  }
  static SslUniquePtr<ASN1_INTEGER, ASN1_INTEGER_free> Integer(absl::string_view bytes) {
    const BignumPtr number(BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr));
    return SslUniquePtr<ASN1_INTEGER, ASN1_INTEGER_free>(BN_to_ASN1_INTEGER(number.get(), nullptr));
  }
  std::string Sign(TS_TST_INFO* info) const {
    constexpr unsigned kFlags = CMS_BINARY | CMS_CADES;
    const std::string content = ToDer(i2d_TS_TST_INFO, info);
    const BioPtr in(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
    const X509Ptr issuing = ToNative(issuing_);
    const X509StackPtr others(sk_X509_new_null());
    if (options_.under_issuing) sk_X509_push(others.get(), issuing.get());
    const SslUniquePtr<CMS_ContentInfo, CMS_ContentInfo_free> token(
        CMS_sign(nullptr, nullptr, others.get(), in.get(), kFlags | CMS_PARTIAL));
    CMS_set1_eContentType(token.get(), OBJ_nid2obj(NID_id_smime_ct_TSTInfo));
    CMS_add1_signer(token.get(), signer_.get(), key_.native(), options_.digest, kFlags);
    CMS_final(token.get(), in.get(), nullptr, kFlags);
    return ToDer(i2d_CMS_ContentInfo, token.get());
  }

  const Options options_;
  const PrivateKey root_key_ = PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const PrivateKey issuing_key_ = PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const PrivateKey key_ = PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const Certificate root_;
  const Certificate issuing_;
  X509Ptr signer_;
};

}  // namespace tsunagi::crypto
