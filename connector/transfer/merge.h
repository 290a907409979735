// Merges what the holders released into one passport.
#pragma once

#include <string>
#include <vector>

#include "connector/transfer/ask.h"
#include "tsunagi/connector/v1/connector_service.pb.h"

namespace tsunagi::connector {

// Fills statements, answers and warnings of the response; only statements of `sections`. `successors` took
// over from the battery's manufacturer.
void Merge(const std::vector<Asked>& answers, policy::SectionMask sections,
           const std::vector<std::string>& successors, v1::ResolveResponse& response);

// One receipt (提供証明) per release: record, proof, the provider's signed directory entry and the content.
void AddReceipts(const std::vector<Asked>& answers, const identity::TrustView& view,
                 v1::ResolveResponse& response);

}  // namespace tsunagi::connector
