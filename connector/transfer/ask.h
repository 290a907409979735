// Asks one holder for its part of a passport, and believes nothing that does not verify.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "connector/negotiation/obtain.h"
#include "connector/own_node.h"
#include "connector/ports.h"
#include "connector/transfer/release.h"
#include "core/base/caller.h"
#include "core/base/clock.h"
#include "identity/trust.h"
#include "passport/model/verify.h"
#include "tsunagi/connector/v1/connector_service.pb.h"

namespace tsunagi::connector {

// What is asked of every holder.
struct Question {
  common::v1::Subject subject;
  policy::SectionMask sections = 0;
  std::string purpose;
};

// A release that was checked: content, record and proof fit together and to the question.
struct VerifiedRelease {
  v1::ReleasedContent content;
  passport::VerifiedSet events;
  std::string agreement;
  v1::ReleaseResponse response;  // as received, for the receipt
};

// What came of asking one holder.
struct Asked {
  size_t source = 0;  // marks the events of the release
  std::shared_ptr<const identity::Party> holder;
  v1::HolderAnswer answer;
  absl::optional<VerifiedRelease> release;  // only when the outcome is RELEASED
};

// Checks that the response is what `holder` released to `consumer` for the question under the agreement, that
// its record stands in the holder's log, and that every event is its author's. DATA_LOSS naming what does not
// fit.
absl::StatusOr<VerifiedRelease> VerifyRelease(v1::ReleaseResponse response, const identity::Party& holder,
                                              const std::string& consumer, const std::string& agreement,
                                              const Question& question, const passport::DirectoryKeys& keys,
                                              size_t source);

// Thread-safe. Blocks: only on the worker pool.
class HolderClient {
 public:
  // All arguments must outlive the object.
  HolderClient(const OwnNode& own, ObtainedAgreements& agreements, Federation& federation, Releases& releases)
      : own_(own), agreements_(agreements), federation_(federation), releases_(releases) {}

  // Uses or makes an agreement, asks for the release, checks it. The own node is asked without a detour over
  // the network, and without an agreement. When a holder leaves out what its agreement does not cover but its
  // policy permits, or says that the agreement has ended, a new agreement is made, once. `source` marks the
  // events.
  Asked Ask(const Caller& caller, std::shared_ptr<const identity::Party> holder, const Question& question,
            const passport::DirectoryKeys& keys, size_t source);

 private:
  absl::StatusOr<VerifiedRelease> AskOwn(const Caller& caller, const identity::Party& own,
                                         const Question& question, const passport::DirectoryKeys& keys,
                                         size_t source);
  absl::StatusOr<VerifiedRelease> AskUnder(bool anew, const identity::Party& holder, const Question& question,
                                           const passport::DirectoryKeys& keys, size_t source);

  const OwnNode& own_;
  ObtainedAgreements& agreements_;
  Federation& federation_;
  Releases& releases_;
};

}  // namespace tsunagi::connector
