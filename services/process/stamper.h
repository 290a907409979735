// Has the log's checkpoints stamped by an RFC 3161 authority: what the log holds was there, by the word of
// somebody who is not the registrar. Blocking.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/audit/journal.h"
#include "core/audit/stamp.h"
#include "core/base/clock.h"
#include "core/base/config_mistakes.h"
#include "core/base/mutex.h"
#include "core/base/random.h"
#include "core/crypto/time_stamp.h"
#include "services/process/backoff.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::process {

// Each field of the `stamping_authority` block that is missing or wrong; its files are not read.
std::vector<FieldMistake> MistakesIn(const internal::v1::StampingAuthority& config);

// Run is for one thread, Trouble for any.
class Stamper {
 public:
  // The note that is to be stamped next; NOT_FOUND while there is none.
  using NewestNote = std::function<absl::StatusOr<std::string>()>;

  // Reads the root file. INVALID_ARGUMENT or NOT_FOUND naming it. `journal`, `clock` and `random` must
  // outlive the stamper.
  static absl::StatusOr<std::unique_ptr<Stamper>> New(const internal::v1::StampingAuthority& config,
                                                      audit::Journal& journal, NewestNote newest,
                                                      const Clock& clock, Random& random);

  // Has the newest note stamped and keeps the stamp, when the pause since the last one is over and the note
  // covers more. After a failure the next runs do nothing for a minute, doubling to an hour. Nothing waits
  // for it.
  //   UNAVAILABLE          the authority cannot be reached
  //   PERMISSION_DENIED    its address is not public and not in allowed_addresses
  //   FAILED_PRECONDITION  it refused, or its clock and ours differ by more than 60 s
  //   INVALID_ARGUMENT, UNAUTHENTICATED  its reply is none to this request, or does not verify
  absl::Status Run();

  // For the operator: why the last try failed; empty when it did not.
  std::string Trouble() const;

 private:
  Stamper(internal::v1::StampingAuthority config, crypto::TimeStampVerifier verifier, audit::Journal& journal,
          NewestNote newest, const Clock& clock, Random& random);

  bool PauseIsOver() const;
  // The newest note, its token still empty; nothing when all that it covers is stamped.
  absl::StatusOr<std::optional<audit::KeptStamp>> ToStamp();
  absl::Status Stamp(audit::KeptStamp next);
  absl::StatusOr<std::string> Ask(const crypto::TimeStampQuery& query) const;
  void Note(const absl::Status& outcome);

  const internal::v1::StampingAuthority config_;
  const absl::Duration pause_;
  const crypto::TimeStampVerifier verifier_;
  audit::Journal& journal_;
  const NewestNote newest_;
  const Clock& clock_;
  Random& random_;
  Backoff backoff_;
  std::optional<uint64_t> stamped_size_;
  absl::Time stamped_at_ = absl::InfinitePast();
  mutable Mutex mutex_;
  std::string trouble_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::process
