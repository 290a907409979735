#include "identity/evidence_keys.h"

#include <utility>
#include <vector>

#include "core/audit/checkpoint.h"
#include "core/base/status_macros.h"
#include "identity/names.h"

namespace tsunagi::identity {
namespace {

const Party* RegistrarOf(const TrustView& view) {
  const auto found = view.by_label.find(kRegistrarLabel);
  return found == view.by_label.end() ? nullptr : found->second.get();
}

// Keys of a participant's log, old ones too.
std::vector<crypto::PublicKey> LogKeys(const Party& party, absl::string_view origin) {
  std::vector<crypto::PublicKey> keys;
  for (const v1::ParticipantKey& listed : party.participant.keys()) {
    if (listed.purpose() != v1::KEY_PURPOSE_LOG || listed.log_origin() != origin) continue;
    absl::StatusOr<crypto::PublicKey> key = crypto::PublicKey::FromDer(listed.public_key());
    if (key.ok()) keys.push_back(*std::move(key));
  }
  return keys;
}

}  // namespace

absl::StatusOr<absl::Time> CosignedAt(const TrustView& view, absl::string_view federation,
                                      absl::string_view note) {
  const Party* registrar = RegistrarOf(view);
  if (registrar == nullptr) return absl::NotFoundError("the directory lists no registrar");
  const std::string witness = WitnessName(federation);
  absl::StatusOr<absl::Time> earliest = absl::NotFoundError("the registrar has not cosigned the checkpoint");
  for (const crypto::PublicKey& key : LogKeys(*registrar, witness)) {
    absl::StatusOr<absl::Time> time = audit::CosignatureTime(note, witness, key);
    if (absl::IsNotFound(time.status())) continue;
    RETURN_IF_ERROR(time.status());
    if (!earliest.ok() || *time < *earliest) earliest = std::move(time);
  }
  return earliest;
}

passport::DirectoryKeys EvidenceKeys(std::shared_ptr<const TrustView> view, std::string federation,
                                     absl::Time now) {
  passport::DirectoryKeys keys;
  keys.federation = federation;
  if (const Party* registrar = RegistrarOf(*view)) keys.registrar = registrar->participant.did();
  keys.signing_key = [view](absl::string_view did,
                            absl::string_view key_id) -> absl::StatusOr<crypto::PublicKey> {
    ASSIGN_OR_RETURN(const std::shared_ptr<const Party> party, view->Find(did));
    return party->FindKey(key_id, v1::KEY_PURPOSE_SIGNING);
  };
  keys.counts_at = [view](absl::string_view did, absl::string_view key_id, absl::Time at) -> absl::Status {
    ASSIGN_OR_RETURN(const std::shared_ptr<const Party> party, view->Find(did));
    return party->KeyCountsAt(key_id, at);
  };
  keys.log_keys = [view](absl::string_view did, absl::string_view origin) {
    const absl::StatusOr<std::shared_ptr<const Party>> party = view->Find(did);
    return party.ok() ? LogKeys(**party, origin) : std::vector<crypto::PublicKey>();
  };
  keys.cosigned_at = [view, federation](absl::string_view note) {
    return CosignedAt(*view, federation, note);
  };
  keys.now = now;
  return keys;
}

}  // namespace tsunagi::identity
