// Collects a passport from every holder: route, ask, verify, merge.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "connector/own_node.h"
#include "connector/ports.h"
#include "connector/transfer/ask.h"
#include "core/base/caller.h"
#include "core/base/clock.h"
#include "identity/trust.h"
#include "tsunagi/connector/v1/connector_service.pb.h"

namespace tsunagi::connector {

// At most so many holders are asked for one battery.
inline constexpr size_t kMaxHolders = 64;

// Thread-safe. Blocks: only on the worker pool. Holders are asked in parallel by at most 8 threads of its
// own, so that one Resolve never waits for a place on the pool that it runs on.
class Resolver {
 public:
  // All arguments must outlive the object.
  Resolver(const OwnNode& own, HolderClient& holders, Federation& federation,
           const identity::TrustStore& trust, const Clock& clock)
      : own_(own), holders_(holders), federation_(federation), trust_(trust), clock_(clock) {}

  // A partial answer is an answer: what each holder said stands in `answers`, what could not be trusted is
  // left out.
  //   INVALID_ARGUMENT     section, purpose, subject, link or participant is wrong
  //   FAILED_PRECONDITION  the vehicle's type or maker, or the link's domain, is in no namespace
  absl::StatusOr<v1::ResolveResponse> Resolve(const Caller& caller, const v1::ResolveRequest& request);

 private:
  struct Search;
  using PartyPtr = std::shared_ptr<const identity::Party>;

  absl::StatusOr<v1::ResolveResponse> ResolveLink(const Caller& caller, v1::ResolveRequest request);
  absl::StatusOr<v1::ResolveResponse> ResolveSubject(const Caller& caller, const v1::ResolveRequest& request);
  absl::Status Prepare(const v1::ResolveRequest& request, Search& search) const;
  void FindBattery(Search& search);
  void FindOthers(Search& search);
  std::vector<Asked> AskAll(Search& search, const common::v1::Subject& subject);
  void Add(Search& search, absl::string_view participant) const;

  const OwnNode& own_;
  HolderClient& holders_;
  Federation& federation_;
  const identity::TrustStore& trust_;
  const Clock& clock_;
};

}  // namespace tsunagi::connector
