// The release path: what a Grant opens, as stored bytes.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "connector/grant/grant.h"
#include "connector/grant/passport_source.h"
#include "core/base/clock.h"
#include "core/store/store.h"
#include "passport/records/evidence_cache.h"
#include "passport/records/keys.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::passport {

// Subjects per read: a chunk of a stream.
inline constexpr size_t kMaxSubjects = 1'000;
// An answer that has reached this many bytes is full: the batteries after it are left for another one.
inline constexpr size_t kFullBytes = size_t{1} << 20;
// Of one battery.
inline constexpr size_t kMaxBatteryBytes = size_t{8} << 20;
// Batches whose evidence is kept between reads: of 1 to 2 KB each, at most twice as many at a time.
inline constexpr size_t kKeptEvidence = 256;

// Reads this participant's own events. Thread-safe; never blocks on anything but the store.
class RecordReader final : public grant::PassportSource {
 public:
  // All arguments but `secrets`, which is copied, must outlive the reader.
  RecordReader(const store::Store& store, RecordSecrets secrets, const Clock& clock);

  // One answer per battery that has events here, in the order of the subjects; for a vehicle, the batteries
  // mounted on it now. Only parts that the Grant opens are disclosed, the others by digest; events without
  // such a part are left out, but for the approval of a proposal that is disclosed. With a look-up Grant the
  // answer names the battery only. `subjects_left` of the last batteries were not read when the answer is
  // full. Names the head keys of what was read; what is under them must not change before the answer is used.
  //   PERMISSION_DENIED  the Grant does not cover exactly these subjects, has expired, or a vehicle is asked
  //   for
  //                      without a permit on vehicle or look-up
  //   RESOURCE_EXHAUSTED one battery has more than kMaxBatteryBytes to release
  absl::StatusOr<v1::ReadPartsResponse> ReadParts(const grant::Grant& grant,
                                                  absl::Span<const common::v1::Subject> subjects) const;
  // The same, for a connector in this process: `done` is called before this returns.
  void ReadParts(const grant::Grant& grant, absl::Span<const common::v1::Subject> subjects,
                 Done done) override {
    done(ReadParts(grant, subjects));
  }

 private:
  // Those of the subjects where they stand, those on vehicles here.
  struct Batteries {
    std::vector<const BatteryId*> all;
    std::deque<BatteryId> mounted;
  };
  absl::Status AddBatteries(const common::v1::Subject& subject, const grant::Grant& grant,
                            Batteries& batteries, v1::ReadPartsResponse& response) const;
  absl::Status ReadBatteries(const std::vector<const BatteryId*>& batteries, const grant::Grant& grant,
                             v1::ReadPartsResponse& response) const;

  const store::Store& store_;
  const RecordSecrets secrets_;
  const Clock& clock_;
  mutable EvidenceCache evidence_{kKeptEvidence};
};

}  // namespace tsunagi::passport
