#include "identity/list_signer.h"

#include <vector>

#include "core/crypto/certificate.h"
#include "core/crypto/envelope.h"

namespace tsunagi::identity {

absl::StatusOr<CheckedSigner> CheckSigner(const google::protobuf::RepeatedPtrField<std::string>& chain,
                                          absl::string_view uri, const common::v1::SignedEnvelope& envelope,
                                          absl::string_view payload_type, const Bundle& bundle,
                                          absl::Time at) {
  // A root itself certifies these keys: whoever takes the issuing CA over cannot make a directory.
  if (chain.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("chain has ", chain.size(), " certificates, expected one that the root issued"));
  }
  ASSIGN_OR_RETURN(const crypto::Certificate leaf, crypto::ParseCertificateDer(chain.Get(0)));
  ASSIGN_OR_RETURN(const size_t root, RootOf(leaf, bundle, at));
  if (leaf.is_ca || leaf.uris != std::vector<std::string>{std::string(uri)} || !leaf.dns_names.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("signer's certificate is not for `", uri, "` alone"));
  }
  RETURN_IF_ERROR(crypto::Verify(envelope, payload_type, leaf.public_key));
  return CheckedSigner{leaf.public_key, {bundle.anchors[root].certificate.sha256, leaf.not_before}};
}

absl::Status CheckStillSigns(const Bundle& bundle, const ListSigner& known, const ListSigner& signer) {
  if (signer.since < known.since) {
    return absl::UnauthenticatedError("is signed by a key that another one has replaced");
  }
  if (bundle.IsRemoved(signer.root_sha256)) return absl::UnauthenticatedError("its root was removed");
  return absl::OkStatus();
}

}  // namespace tsunagi::identity
