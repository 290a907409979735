#include "services/identity/federation_trust_service.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "services/rpc/reply.h"

namespace tsunagi::identity {
namespace {

// Rosters of federations that are trusted, where the caller has another one or none.
void AddRosters(const Federations& federations, const v1::GetFederationTrustRequest& request,
                v1::GetFederationTrustResponse& response) {
  for (const auto& [name, federation] : federations.by_name) {
    if (federation->revoked() || federation->roster == nullptr) continue;
    const auto& known = request.known_rosters();
    const bool has = std::any_of(known.begin(), known.end(), [&](const v1::KnownRoster& one) {
      return one.federation() == federation->name() && one.version() == federation->roster->version;
    });
    if (!has) *response.add_rosters() = federation->roster->signed_roster;
  }
}

}  // namespace

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using rpc::Finish;
using rpc::Who;

std::vector<rpc::AccessRow> FederationTrustRows() {
  return {
      {"/tsunagi.identity.v1.FederationTrustService/TrustFederation", Who::kOwnOperator},
      {"/tsunagi.identity.v1.FederationTrustService/RevokeFederation", Who::kOwnOperator},
      {"/tsunagi.identity.v1.FederationTrustService/GetFederationTrust", Who::kParticipant},
  };
}

ServerUnaryReactor* FederationTrustService::TrustFederation(CallbackServerContext* context,
                                                            const v1::TrustFederationRequest* request,
                                                            v1::TrustFederationResponse* response) {
  return guard_.Serve(context, rpc::OnPool(worker_, response, [this, request](const Caller& caller) {
                        return Trust(caller, *request);
                      }));
}

absl::StatusOr<v1::TrustFederationResponse> FederationTrustService::Trust(
    const Caller& caller, v1::TrustFederationRequest request) {
  if (request.bundle().empty()) {
    absl::StatusOr<std::string> fetched = follower_.FetchBundle(request.url());
    if (!fetched.ok()) return Annotate(fetched.status(), "fetching the trust bundle");
    request.set_bundle(*std::move(fetched));
  }
  ASSIGN_OR_RETURN(const v1::TrustFederationResponse response,
                   WaitFor<v1::TrustFederationResponse>([&](Done<v1::TrustFederationResponse> done) {
                     registrar_.federations().Trust(caller, request, std::move(done));
                   }));
  // So that its participants are let in at once; otherwise with the next round.
  const absl::Status followed = follower_.Follow(request.federation(), request.url());
  if (!followed.ok()) {
    log::Warning("a federation that is trusted now was not followed",
                 {{"federation", request.federation()}, {"reason", std::string(followed.message())}});
  }
  return response;
}

ServerUnaryReactor* FederationTrustService::RevokeFederation(CallbackServerContext* context,
                                                             const v1::RevokeFederationRequest* request,
                                                             v1::RevokeFederationResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.federations().Revoke(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* FederationTrustService::GetFederationTrust(CallbackServerContext* context,
                                                               const v1::GetFederationTrustRequest* request,
                                                               v1::GetFederationTrustResponse* response) {
  return guard_.Serve(context, [=, this](const Caller&, Finish finish) {
    registrar_.lists().GetFederationTrust(
        [=, this, finish = std::move(finish)](const absl::StatusOr<SignedLists::FederationTrust>& trust) {
          // The registrar's own view has what was just signed, or something newer.
          const std::shared_ptr<const Federations> federations = registrar_.trust().View()->federations;
          if (trust.ok() && *trust != nullptr) {
            if (federations->version != request->known_version()) *response->mutable_trust() = **trust;
            AddRosters(*federations, *request, *response);
          }
          finish(trust.status());
        });
  });
}

}  // namespace tsunagi::identity
