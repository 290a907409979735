// Many releases at once, in chunks that are decided anew one by one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "connector/enforcer.h"
#include "connector/grant/passport_source.h"
#include "connector/own_node.h"
#include "connector/ports.h"
#include "connector/transfer/release_record.h"
#include "core/audit/denial_log.h"
#include "core/audit/journal.h"
#include "core/base/caller.h"
#include "core/base/clock.h"
#include "tsunagi/connector/v1/connector_service.pb.h"

namespace tsunagi::connector {

inline constexpr size_t kMaxChunkRecords = 1'000;
inline constexpr size_t kMaxChunkBytes = 1 << 20;  // of the whole message, unless one record alone is larger

// What is left of one ReleaseStreamRequest.
struct StreamWork {
  std::string agreement;
  policy::SectionMask sections = 0;
  std::string purpose;
  std::string request_digest;
  std::vector<common::v1::BatteryId> left;
  // How many batteries the next chunk looks at: what fits by the sizes seen so far.
  size_t window = 256;
};

// Thread-safe; never blocks. One chunk of a StreamWork at a time.
class ChunkReleases {
 public:
  // A chunk; nothing when no battery is left. Called exactly once, as Releases::Done.
  using Done = std::function<void(absl::StatusOr<absl::optional<v1::ReleaseStreamResponse>>)>;

  // All arguments must outlive the object and every chunk under way.
  ChunkReleases(const OwnNode& own, Enforcer& enforcer, grant::PassportSource& source,
                audit::DenialLog& denials, audit::Journal& journal, const Clock& clock)
      : own_(own),
        enforcer_(enforcer),
        source_(source),
        denials_(denials),
        journal_(journal),
        clock_(clock) {}

  // INVALID_ARGUMENT when section, purpose, a battery or their number is wrong.
  absl::StatusOr<std::shared_ptr<StreamWork>> Begin(const v1::ReleaseStreamRequest& request) const;

  // Decides, reads, records and hands over the next chunk; its leaf is durable before `done`. Batteries of
  // which `caller` may see nothing, and those that do not exist, are left out alike. Errors as in
  // Releases::Release: they end the stream.
  void Next(const Caller& caller, std::shared_ptr<StreamWork> work, Done done);

 private:
  struct Attempt;
  using Try = std::shared_ptr<Attempt>;

  void Decide(Try attempt);
  void Fill(Try attempt, absl::StatusOr<passport::v1::ReadPartsResponse> read);
  void Submit(Try attempt);
  void Deny(Try attempt, const Denial& denial);
  void RecordLeftOut(const Attempt& attempt, size_t count);

  const OwnNode& own_;
  Enforcer& enforcer_;
  grant::PassportSource& source_;
  audit::DenialLog& denials_;
  audit::Journal& journal_;
  const Clock& clock_;
};

}  // namespace tsunagi::connector
