// Access tokens as the registrar issues them: for a process itself, or for acting on. Thread-safe; nothing
// blocks.
#pragma once

#include <string>
#include <vector>

#include "identity/act.h"
#include "identity/act_counts.h"
#include "identity/certified_process.h"
#include "identity/context.h"
#include "identity/token.h"
#include "tsunagi/identity/v1/identity_service.pb.h"

namespace tsunagi::identity {

class AccessTokens {
 public:
  // `trust` is the registrar's own view.
  AccessTokens(const RegistrarContext& context, const TrustStore& trust)
      : context_(context), verifier_(trust, context.clock) {}

  // A token for the certificate of `process`: never past the certificate's end.
  //   PERMISSION_DENIED  the participant is not registered, is suspended or has left
  //   UNAUTHENTICATED    the certificate has expired
  // For the federation `audience` when it is not empty: NOT_FOUND when it is not trusted here.
  void Issue(const CertifiedProcess& process, Done<v1::IssueTokenResponse> done,
             const std::string& audience = "");

  // A token with which `actor` goes on for the process of its own participant that showed it `subject_token`
  // (RFC 8693): bound to the actor's certificate, naming the actor in `act`, never past the subject token's
  // end. In addition to what Issue returns:
  //   INVALID_ARGUMENT   the subject token is none of this federation, has expired, is another participant's,
  //   or
  //                      has passed through too many actors
  void Exchange(const CertifiedProcess& actor, const std::string& subject_token,
                Done<v1::IssueTokenResponse> done);

  const ActCounts& issued() const { return issued_; }
  const ActCounts& exchanged() const { return exchanged_; }

 private:
  // What a token is to be.
  struct Wanted {
    absl::string_view act;           // the word in the record
    absl::Time end;                  // of the subject token
    std::vector<TokenActor> actors;  // what the subject token leaves
    std::string audience = {};       // another federation
  };
  absl::StatusOr<Decision<v1::IssueTokenResponse>> Decide(const CertifiedProcess& process,
                                                          Wanted wanted) const;
  absl::StatusOr<Decision<v1::IssueTokenResponse>> DecideExchange(const CertifiedProcess& actor,
                                                                  const std::string& subject_token);

  const RegistrarContext& context_;
  TokenVerifier verifier_;
  ActCounts issued_;
  ActCounts exchanged_;
};

}  // namespace tsunagi::identity
