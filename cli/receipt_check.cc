#include "cli/receipt_check.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/audit/checkpoint.h"
#include "core/audit/receipt.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/crypto/envelope.h"
#include "passport/model/verify.h"

namespace tsunagi::cli {
namespace {

constexpr absl::string_view kParticipantType = "tsunagi/participant/v1";

absl::Status Wrong(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the receipt is wrong: ", what));
}

// Federation of a certificate that may sign directories and nothing else.
absl::StatusOr<std::string> DirectoryFederation(const crypto::Certificate& certificate) {
  absl::string_view uri = certificate.uris.size() == 1 ? absl::string_view(certificate.uris.front()) : "";
  if (!absl::ConsumePrefix(&uri, "spiffe://") || !absl::ConsumeSuffix(&uri, "/registrar/directory") ||
      uri.empty()) {
    return Wrong("the provider's entry is not signed by a directory key");
  }
  return std::string(uri);
}

absl::StatusOr<std::vector<crypto::Certificate>> ParseChain(const audit::v1::Receipt& receipt) {
  std::vector<crypto::Certificate> chain;
  for (const std::string& der : receipt.directory_chain()) {
    ASSIGN_OR_RETURN(crypto::Certificate certificate, crypto::ParseCertificateDer(der));
    chain.push_back(std::move(certificate));
  }
  if (chain.empty()) return Wrong("it has no certificate of the directory key");
  return chain;
}

absl::Status CheckEntry(const audit::v1::Receipt& receipt, const crypto::Certificate& root, absl::Time at,
                        CheckedReceipt& checked) {
  ASSIGN_OR_RETURN(const auto chain, ParseChain(receipt));
  RETURN_IF_ERROR(Annotate(crypto::VerifyChain(chain, root, at), "certificates of the directory key"));
  ASSIGN_OR_RETURN(checked.federation, DirectoryFederation(chain.front()));
  RETURN_IF_ERROR(
      Annotate(crypto::Verify(receipt.provider_entry(), kParticipantType, chain.front().public_key),
               "signature of the provider's directory entry"));
  return DecodeCanonical(receipt.provider_entry().payload(), "directory entry", checked.provider);
}

bool CountsAt(const identity::v1::ParticipantKey& key, absl::Time at) {
  const auto from = FromProto(key.valid_from());
  const auto until = FromProto(key.valid_until());
  return from.ok() && *from <= at && (!key.has_valid_until() || (until.ok() && at < *until));
}

// OK when one of the provider's keys of this log verifies the proof, and no line of the checkpoint is left
// over.
absl::Status CheckLog(const audit::v1::LogProof& proof, absl::Time at, CheckedReceipt& checked) {
  checked.origin = proof.checkpoint().substr(0, proof.checkpoint().find('\n'));
  const std::string prefix = absl::StrCat(checked.provider.label(), ".", checked.federation, "/");
  if (!absl::StartsWith(checked.origin, prefix)) return Wrong("the log is not one of the provider's");
  ASSIGN_OR_RETURN(const int lines, audit::SignatureLineCount(proof.checkpoint()));
  if (lines != 1) return Wrong("the checkpoint has a signature line whose key the receipt does not prove");
  absl::Status last = Wrong("the provider's entry lists no key of the log");
  for (const auto& key : checked.provider.keys()) {
    if (key.purpose() != identity::v1::KEY_PURPOSE_LOG || key.log_origin() != checked.origin ||
        !CountsAt(key, at)) {
      continue;
    }
    ASSIGN_OR_RETURN(const auto public_key, crypto::PublicKey::FromDer(key.public_key()));
    last = audit::VerifyLogProof(proof, checked.origin, public_key).status();
    if (last.ok()) break;
  }
  return last;
}

// The provider's signing keys are all that a receipt can know of the directory.
passport::DirectoryKeys KeysOf(const CheckedReceipt& checked, absl::Time at) {
  passport::DirectoryKeys keys;
  keys.federation = checked.federation;
  keys.now = at;
  const auto find = [&checked](absl::string_view did, absl::string_view id) {
    const identity::v1::ParticipantKey* found = nullptr;
    for (const auto& key : checked.provider.keys()) {
      const bool fits = key.purpose() == identity::v1::KEY_PURPOSE_SIGNING && key.key_id() == id;
      if (fits && checked.provider.did() == did) found = &key;
    }
    return found;
  };
  keys.signing_key = [find](absl::string_view did,
                            absl::string_view id) -> absl::StatusOr<crypto::PublicKey> {
    const auto* key = find(did, id);
    if (key == nullptr) return absl::NotFoundError("no such key");
    return crypto::PublicKey::FromDer(key->public_key());
  };
  keys.counts_at = [find](absl::string_view did, absl::string_view id, absl::Time when) {
    const auto* key = find(did, id);
    return key != nullptr && CountsAt(*key, when) ? absl::OkStatus()
                                                  : absl::NotFoundError("no such key then");
  };
  return keys;
}

// The time stamps of batches come from the registrar, whose key a receipt does not carry: the digest covers
// them, and only the author's signatures are checked.
absl::Status CheckSignatures(const connector::v1::ReleasedContent& content, absl::Time at,
                             const CheckedReceipt& checked) {
  passport::v1::EventSet set;
  RETURN_IF_ERROR(DecodeCanonical(content.events(), "released events", set));
  for (auto& batch : *set.mutable_batches()) batch.clear_log();
  return passport::VerifyEventSet(Encode(set), content.battery(), KeysOf(checked, at), 0).status();
}

absl::Status CheckContent(const std::string& bytes, absl::Time at, CheckedReceipt& checked) {
  const audit::v1::ReleaseRecord& release = checked.record.release();
  if (crypto::Sha256(bytes) != release.content_digest())
    return Wrong("the content is not what the record names");
  connector::v1::ReleasedContent content;
  RETURN_IF_ERROR(DecodeCanonical(bytes, "released content", content));
  if (content.battery().manufacturer() != release.battery().manufacturer() ||
      content.battery().serial() != release.battery().serial()) {
    return Wrong("the content is about another battery than the record");
  }
  if (!content.events().empty()) RETURN_IF_ERROR(CheckSignatures(content, at, checked));
  ASSIGN_OR_RETURN(checked.parts, PartsOf(content));
  checked.has_content = true;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CheckedReceipt> CheckReceipt(absl::string_view text, const crypto::Certificate& root) {
  ASSIGN_OR_RETURN(const audit::v1::Receipt receipt, audit::OpenReceipt(text));
  CheckedReceipt checked;
  checked.leaf_index = receipt.proof().leaf_index();
  RETURN_IF_ERROR(DecodeCanonical(receipt.proof().record(), "record", checked.record));
  if (!checked.record.has_release()) return Wrong("its record is no release");
  ASSIGN_OR_RETURN(const absl::Time at, FromProto(checked.record.time()));
  RETURN_IF_ERROR(CheckEntry(receipt, root, at, checked));
  RETURN_IF_ERROR(CheckLog(receipt.proof(), at, checked));
  if (checked.record.release().provider() != checked.provider.did()) {
    return Wrong("the record is of another provider than the directory entry");
  }
  if (!receipt.content().empty()) RETURN_IF_ERROR(CheckContent(receipt.content(), at, checked));
  return checked;
}

}  // namespace tsunagi::cli
