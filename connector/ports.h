// What the connector needs of others, declared by it: the federation.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "connector/grant/grant.h"
#include "tsunagi/catalog/v1/catalog_service.pb.h"
#include "tsunagi/connector/v1/connector_service.pb.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::connector {

// Calls to other participants' nodes, authenticated as them. Blocking; only on the worker pool.
class Federation {
 public:
  virtual ~Federation() = default;
  virtual absl::StatusOr<v1::RequestAgreementResponse> RequestAgreement(
      absl::string_view participant, const v1::RequestAgreementRequest& request) = 0;
  virtual absl::StatusOr<v1::ReleaseResponse> Release(absl::string_view participant,
                                                      const v1::ReleaseRequest& request) = 0;
  virtual absl::StatusOr<catalog::v1::FindHoldersResponse> FindHolders(
      absl::string_view participant, const catalog::v1::FindHoldersRequest& request) = 0;
  virtual absl::Status FileNotices(absl::string_view participant,
                                   const catalog::v1::FileNoticesRequest& request) = 0;
};

}  // namespace tsunagi::connector
