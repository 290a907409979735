// Notices that holders file with the authoritative catalog: who holds what about which battery.
#pragma once

#include <array>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/denial_log.h"
#include "core/audit/journal.h"
#include "core/base/caller.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "identity/trust.h"
#include "tsunagi/catalog/v1/catalog_service.pb.h"

namespace tsunagi::catalog {

// The catalog of one participant, for the serials of its own namespace. It never looks whether a serial
// exists, so that neither answers nor their timing tell. Thread-safe.
class Notices {
 public:
  // Called exactly once, on the journal's thread or before Find returns. Must not block.
  using Found = std::function<void(absl::StatusOr<v1::FindHoldersResponse>)>;

  // `own_did` is the participant that runs this catalog. All but it must outlive the object.
  Notices(audit::Journal& journal, const identity::TrustStore& trust, std::string own_did, const Clock& clock,
          audit::DenialLog& denials);

  // Files, replaces or takes back notices of the caller; one audit leaf for the request. Blocks: only on a
  // worker pool. The same request_id gives the same reply.
  //   INVALID_ARGUMENT    a notice is malformed, or of another manufacturer; nothing was filed
  //   ALREADY_EXISTS      the request_id was used with other notices
  //   RESOURCE_EXHAUSTED  the caller would have more than 100,000 notices here
  absl::StatusOr<v1::FileNoticesResponse> File(const Caller& caller, const v1::FileNoticesRequest& request);

  // Holders whose notice names the caller or one of its roles, and the caller's own, in order of DID. Holders
  // that are suspended or no longer listed are left out. The leaf of an answer is durable before `found`; a
  // refusal is counted and waits for nothing.
  //   INVALID_ARGUMENT  the battery is malformed
  //   NOT_FOUND         always with the same text: no such battery, no notice, or none that the caller may
  //   see
  void Find(const Caller& caller, const v1::FindHoldersRequest& request, Found found);

 private:
  struct Filing;
  absl::Status Check(const v1::FileNoticesRequest& request) const;
  absl::Status Check(const v1::HolderNotice& notice) const;
  absl::StatusOr<v1::FileNoticesResponse> FileOnce(const Caller& caller,
                                                   const v1::FileNoticesRequest& request);
  absl::StatusOr<v1::FindHoldersResponse> Visible(const Caller& caller,
                                                  const common::v1::BatteryId& battery) const;
  absl::Status AddNotices(const v1::FileNoticesRequest& request, Filing& filing) const;

  audit::Journal& journal_;
  const identity::TrustStore& trust_;
  const std::string own_did_;
  const Clock& clock_;
  audit::DenialLog& denials_;
  // Whoever files holds the one of its DID until its notices are durable.
  std::array<Mutex, 16> turns_;
};

}  // namespace tsunagi::catalog
