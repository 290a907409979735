// The mandates of one participant, at its own node: granting, revoking, telling the registrar.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/audit/journal.h"
#include "core/base/caller.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/crypto/key.h"
#include "identity/revoked_mandates.h"
#include "identity/trust.h"
#include "tsunagi/identity/v1/mandate_service.pb.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::identity {

// The registrar, as a grantor's node needs it. Blocking; its errors as they come.
class MandateRegistryPort {
 public:
  virtual ~MandateRegistryPort() = default;
  virtual absl::Status FileMandate(const v1::FileMandateRequest& request) = 0;
  virtual absl::Status FileRevocation(const v1::FileRevocationRequest& request) = 0;
};

struct OwnMandatesContext {
  audit::Journal& journal;
  const TrustStore& trust;
  const crypto::PrivateKey& signing_key;  // ES256, listed in the directory
  const Clock& clock;
  RevokedMandates& revoked;
  MandateRegistryPort& registry;
  std::string did;  // this participant
};

// Thread-safe; everything but List blocks, on journal and registrar.
class OwnMandates {
 public:
  // What the context refers to must outlive this.
  explicit OwnMandates(OwnMandatesContext context) : context_(std::move(context)) {}

  // Signs a mandate, one leaf, and files it with the registrar. The same request_id with the same content
  // again gives the same mandate. What the registrar refuses for good is forgotten, with its error.
  //   INVALID_ARGUMENT     the request_id is no UUID, a scope is unknown, the life too long
  //   NOT_FOUND            the holder is no member
  //   ALREADY_EXISTS       the request_id stands for another mandate
  //   FAILED_PRECONDITION  the directory does not list the signing key yet
  absl::StatusOr<v1::GrantMandateResponse> Grant(const Caller& caller,
                                                 const v1::GrantMandateRequest& request);

  // Ends a mandate: for the own processes before anything else, then one leaf, then at the registrar.
  //   NOT_FOUND  this participant granted no such mandate
  absl::StatusOr<v1::RevokeMandateResponse> Revoke(const Caller& caller,
                                                   const v1::RevokeMandateRequest& request);

  // A page of those that this participant granted, then of those that it holds.
  absl::StatusOr<v1::ListMandatesResponse> List(const v1::ListMandatesRequest& request) const;

  // Tells the registrar what it could not be told yet. One round, for upkeep.
  void FileWaiting();

 private:
  using Stored = internal::v1::StoredMandate;

  absl::StatusOr<Stored> Load(const std::string& id) const;
  absl::StatusOr<std::map<std::string, Stored>> LoadAll() const;
  absl::Status Save(const std::string& id, const Stored& stored, std::optional<std::string> record);
  absl::Status CheckOwnKey(absl::Time now) const;
  absl::StatusOr<Stored> Sign(const Caller& caller, const v1::GrantMandateRequest& request,
                              const std::string& holder);
  // Files what waits, and notes what was filed. The registrar's error when it refused the mandate for good.
  absl::Status File(const std::string& id, Stored& stored) ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_);
  std::map<std::string, v1::ListedMandate> Everything(const std::map<std::string, Stored>& stored) const;

  const OwnMandatesContext context_;
  Mutex turn_;  // of what changes mandates
};

}  // namespace tsunagi::identity
