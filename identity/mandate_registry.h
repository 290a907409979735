// Mandates at the registrar: it puts what a grantor signed into the grantor's directory entry.
#pragma once

#include "core/base/caller.h"
#include "identity/act.h"
#include "identity/context.h"
#include "identity/signed_lists.h"
#include "tsunagi/identity/v1/mandate_service.pb.h"

namespace tsunagi::identity {

// Thread-safe; nothing blocks. The caller is the grantor.
class MandateRegistry {
 public:
  MandateRegistry(const RegistrarContext& context, SignedLists& lists) : context_(context), lists_(lists) {}

  // Files a mandate. The same content again is OK and changes nothing.
  //   INVALID_ARGUMENT     malformed, of another grantor, over already, or its holder is not a member
  //   UNAUTHENTICATED      not signed by a SIGNING key of the caller that counts now and at valid_from
  //   ALREADY_EXISTS       the id stands for another mandate
  //   FAILED_PRECONDITION  the holder is suspended or has left, or 100 mandates of the caller are not over
  //   yet
  void FileMandate(const Caller& caller, const v1::FileMandateRequest& request,
                   Done<v1::FileMandateResponse> done);

  // Files a revocation; a mandate that is revoked already stays as it is.
  //   INVALID_ARGUMENT  malformed, or of another grantor
  //   UNAUTHENTICATED   not signed by a SIGNING key of the caller that counts now
  //   NOT_FOUND         the caller has filed no such mandate
  void FileRevocation(const Caller& caller, const v1::FileRevocationRequest& request,
                      Done<v1::FileRevocationResponse> done);

 private:
  absl::StatusOr<Decision<v1::FileMandateResponse>> DecideMandate(
      const Caller& caller, const v1::FileMandateRequest& request) const;
  absl::StatusOr<Decision<v1::FileRevocationResponse>> DecideRevocation(
      const Caller& caller, const v1::FileRevocationRequest& request) const;

  const RegistrarContext& context_;
  SignedLists& lists_;
};

}  // namespace tsunagi::identity
