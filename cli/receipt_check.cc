#include "cli/receipt_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/audit/checkpoint.h"
#include "core/audit/receipt.h"
#include "core/audit/stamp.h"
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

// The certificate of the directory key. A root alone issues it: whoever takes the issuing CA over cannot make
// directory entries.
absl::StatusOr<crypto::Certificate> ParseChain(const audit::v1::Receipt& receipt) {
  if (receipt.directory_chain_size() != 1) {
    return Wrong("expected one certificate of the directory key, which the root issued");
  }
  return crypto::ParseCertificateDer(receipt.directory_chain(0));
}

absl::Status CheckRoot(const crypto::Certificate& certificate, const identity::Bundle& bundle,
                       absl::Time at) {
  return Annotate(identity::RootOf(certificate, bundle, at).status(), "certificates of the directory key");
}

// The participant whose entry the directory key signed.
absl::StatusOr<identity::v1::Participant> OpenEntry(const common::v1::SignedEnvelope& entry,
                                                    const crypto::PublicKey& directory_key,
                                                    absl::string_view what) {
  RETURN_IF_ERROR(Annotate(crypto::Verify(entry, kParticipantType, directory_key), what));
  identity::v1::Participant participant;
  RETURN_IF_ERROR(DecodeCanonical(entry.payload(), "directory entry", participant));
  return participant;
}

absl::Status CheckEntries(const audit::v1::Receipt& receipt, const crypto::Certificate& certificate,
                          CheckedReceipt& checked, identity::v1::Participant& registrar) {
  ASSIGN_OR_RETURN(checked.federation, DirectoryFederation(certificate));
  const crypto::PublicKey& key = certificate.public_key;
  ASSIGN_OR_RETURN(checked.provider,
                   OpenEntry(receipt.provider_entry(), key, "signature of the provider's directory entry"));
  if (!receipt.has_registrar_entry()) return absl::OkStatus();
  ASSIGN_OR_RETURN(registrar,
                   OpenEntry(receipt.registrar_entry(), key, "signature of the registrar's directory entry"));
  const auto& roles = registrar.roles();
  if (std::find(roles.begin(), roles.end(), "registrar") != roles.end()) return absl::OkStatus();
  return Wrong("the registrar's entry is of another participant");
}

bool CountsAt(const identity::v1::ParticipantKey& key, absl::Time at) {
  const auto from = FromProto(key.valid_from());
  const auto until = FromProto(key.valid_until());
  return from.ok() && *from <= at && (!key.has_valid_until() || (until.ok() && at < *until));
}

// Time of the registrar's cosignature, under a key of its entry that counted then.
absl::StatusOr<absl::Time> CosignedAt(const std::string& checkpoint,
                                      const identity::v1::Participant& registrar,
                                      absl::string_view federation) {
  const std::string name = absl::StrCat("registrar.", federation);
  absl::Status last = Wrong("the registrar's entry lists no key that cosigns");
  for (const auto& key : registrar.keys()) {
    if (key.purpose() != identity::v1::KEY_PURPOSE_LOG || key.log_origin() != name) continue;
    ASSIGN_OR_RETURN(const auto public_key, crypto::PublicKey::FromDer(key.public_key()));
    auto time = audit::CosignatureTime(checkpoint, name, public_key);
    if (time.ok() && CountsAt(key, *time)) return time;
    last = time.ok() ? Wrong("the registrar's key did not count when it cosigned") : time.status();
  }
  return last;
}

// Every signature line of the checkpoint is one whose key the receipt proves: the log's own, which CheckLog
// checks, and the registrar's, if the receipt has its entry.
absl::Status CheckCosignature(const audit::v1::Receipt& receipt, const identity::v1::Participant& registrar,
                              CheckedReceipt& checked) {
  const std::string& checkpoint = receipt.proof().checkpoint();
  ASSIGN_OR_RETURN(const int lines, audit::SignatureLineCount(checkpoint));
  if (lines != (receipt.has_registrar_entry() ? 2 : 1)) {
    return Wrong("the checkpoint has a signature line whose key the receipt does not prove");
  }
  if (!receipt.has_registrar_entry()) return absl::OkStatus();
  ASSIGN_OR_RETURN(checked.cosigned_at, CosignedAt(checkpoint, registrar, checked.federation));
  return absl::OkStatus();
}

// The checkpoint, when one of the provider's keys of this log verifies the proof.
absl::StatusOr<audit::Checkpoint> CheckLog(const audit::v1::LogProof& proof, absl::Time at,
                                           CheckedReceipt& checked) {
  checked.origin = proof.checkpoint().substr(0, proof.checkpoint().find('\n'));
  const std::string prefix = absl::StrCat(checked.provider.label(), ".", checked.federation, "/");
  if (!absl::StartsWith(checked.origin, prefix)) return Wrong("the log is not one of the provider's");
  absl::StatusOr<audit::Checkpoint> last = Wrong("the provider's entry lists no key of the log");
  for (const auto& key : checked.provider.keys()) {
    if (key.purpose() != identity::v1::KEY_PURPOSE_LOG || key.log_origin() != checked.origin ||
        !CountsAt(key, at)) {
      continue;
    }
    ASSIGN_OR_RETURN(const auto public_key, crypto::PublicKey::FromDer(key.public_key()));
    last = audit::VerifyLogProof(proof, checked.origin, public_key);
    if (last.ok()) break;
  }
  return last;
}

// The stamped checkpoint covers the receipt's, under any of the log's keys: only the stamp dates it.
absl::Status CheckCovers(const audit::v1::ReceiptStamp& stamp, const audit::Checkpoint& checkpoint,
                         const identity::v1::Participant& provider) {
  absl::Status last = Wrong("the provider's entry lists no key of the log");
  for (const auto& key : provider.keys()) {
    if (key.purpose() != identity::v1::KEY_PURPOSE_LOG || key.log_origin() != checkpoint.origin) continue;
    ASSIGN_OR_RETURN(const auto public_key, crypto::PublicKey::FromDer(key.public_key()));
    last = audit::CheckCovers(stamp, checkpoint, public_key);
    if (last.ok()) break;
  }
  return last;
}

absl::Status CheckStamp(absl::string_view block, const audit::Checkpoint& checkpoint,
                        const std::optional<crypto::TimeStampVerifier>& stamping, CheckedReceipt& checked) {
  checked.has_stamp = true;
  ASSIGN_OR_RETURN(const audit::v1::ReceiptStamp stamp, audit::OpenStamp(block));
  RETURN_IF_ERROR(CheckCovers(stamp, checkpoint, checked.provider));
  if (!stamping.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(checked.stamp, stamping->Verify(stamp.stamp().token(), stamp.stamp().checkpoint()));
  return absl::OkStatus();
}

// The keys of the provider and of the registrar are all that a receipt can know of the directory.
passport::DirectoryKeys KeysOf(const CheckedReceipt& checked, const identity::v1::Participant& registrar,
                               absl::Time at) {
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
  keys.log_keys = [&checked](absl::string_view did, absl::string_view origin) {
    std::vector<crypto::PublicKey> found;
    for (const auto& key : checked.provider.keys()) {
      const bool fits = key.purpose() == identity::v1::KEY_PURPOSE_LOG && key.log_origin() == origin;
      auto parsed = crypto::PublicKey::FromDer(key.public_key());
      if (fits && checked.provider.did() == did && parsed.ok()) found.push_back(*std::move(parsed));
    }
    return found;
  };
  keys.cosigned_at = [&checked, &registrar](absl::string_view note) {
    return CosignedAt(std::string(note), registrar, checked.federation);
  };
  return keys;
}

// The time stamps of batches come from the registrar: without its entry the digest covers them, and only the
// author's signatures are checked, as of the record's time.
absl::Status CheckSignatures(const connector::v1::ReleasedContent& content, absl::Time at,
                             const identity::v1::Participant& registrar, const CheckedReceipt& checked) {
  passport::v1::EventSet set;
  RETURN_IF_ERROR(DecodeCanonical(content.events(), "released events", set));
  for (auto& batch : *set.mutable_batches()) {
    if (!checked.cosigned_at.has_value()) batch.clear_log();
  }
  return passport::VerifyEventSet(Encode(set), content.battery(), KeysOf(checked, registrar, at), 0).status();
}

// OK when the content is what the record names.
absl::Status CheckNamed(const audit::v1::Receipt& receipt, const audit::v1::Record& record) {
  if (record.has_chunk()) {
    if (receipt.content().empty()) return Wrong("a record of a chunk is not inside");
    return Annotate(audit::VerifyRecordOfChunk(receipt, record.chunk()), "the record's place in the chunk");
  }
  if (receipt.record_index() != 0 || !receipt.record_path().empty())
    return Wrong("a release has no place in a chunk");
  const bool named =
      receipt.content().empty() || crypto::Sha256(receipt.content()) == record.release().content_digest();
  return named ? absl::OkStatus() : Wrong("the content is not what the record names");
}

absl::Status CheckContent(const std::string& bytes, absl::Time at, const identity::v1::Participant& registrar,
                          CheckedReceipt& checked) {
  connector::v1::ReleasedContent content;
  RETURN_IF_ERROR(DecodeCanonical(bytes, "released content", content));
  if (!checked.release.has_battery()) *checked.release.mutable_battery() = content.battery();
  const common::v1::BatteryId& battery = checked.release.battery();
  if (content.battery().manufacturer() != battery.manufacturer() ||
      content.battery().serial() != battery.serial()) {
    return Wrong("the content is about another battery than the record");
  }
  if (!content.events().empty()) RETURN_IF_ERROR(CheckSignatures(content, at, registrar, checked));
  ASSIGN_OR_RETURN(checked.parts, PartsOf(content));
  checked.has_content = true;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CheckedReceipt> CheckReceipt(absl::string_view text, const identity::Bundle& bundle,
                                            const std::optional<crypto::TimeStampVerifier>& stamping) {
  const audit::ReceiptFile file = audit::SplitReceiptFile(text);
  ASSIGN_OR_RETURN(const audit::v1::Receipt receipt, audit::OpenReceipt(file.receipt));
  CheckedReceipt checked;
  checked.leaf_index = receipt.proof().leaf_index();
  audit::v1::Record record;
  RETURN_IF_ERROR(DecodeCanonical(receipt.proof().record(), "record", record));
  if (!record.has_release() && !record.has_chunk()) return Wrong("its record is no release and no chunk");
  ASSIGN_OR_RETURN(const absl::Time at, FromProto(record.time()));
  identity::v1::Participant registrar;
  ASSIGN_OR_RETURN(const crypto::Certificate certificate, ParseChain(receipt));
  RETURN_IF_ERROR(CheckRoot(certificate, bundle, at));
  RETURN_IF_ERROR(CheckEntries(receipt, certificate, checked, registrar));
  RETURN_IF_ERROR(CheckCosignature(receipt, registrar, checked));
  // The provider's clock proves nothing; the registrar's cosignature does.
  if (checked.cosigned_at.has_value()) RETURN_IF_ERROR(CheckRoot(certificate, bundle, *checked.cosigned_at));
  ASSIGN_OR_RETURN(const audit::Checkpoint checkpoint, CheckLog(receipt.proof(), at, checked));
  checked.leaves = checkpoint.size;
  RETURN_IF_ERROR(CheckNamed(receipt, record));
  checked.time = record.time();
  checked.release = record.has_chunk() ? record.chunk().release() : record.release();
  if (checked.release.provider() != checked.provider.did()) {
    return Wrong("the record is of another provider than the directory entry");
  }
  if (!receipt.content().empty()) RETURN_IF_ERROR(CheckContent(receipt.content(), at, registrar, checked));
  if (!file.stamp.empty()) RETURN_IF_ERROR(CheckStamp(file.stamp, checkpoint, stamping, checked));
  return checked;
}

}  // namespace tsunagi::cli
