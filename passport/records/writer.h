// Facts become signed events.
#pragma once

#include "absl/status/statusor.h"
#include "core/base/caller.h"
#include "passport/records/context.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::passport {

// Facts per request.
inline constexpr int kMaxFacts = 1'000;

// Writes this participant's facts. Leaves name who acted. Thread-safe; blocks
// until durable, so never on a handler's thread.
class RecordWriter {
 public:
  // `context` must outlive the writer.
  explicit RecordWriter(const RecordContext& context) : context_(context) {}

  // All facts of the request as one signed batch in one commit, or none.
  //   INVALID_ARGUMENT     a field is wrong: names it; the detail's row is the fact's place, from 1
  //   ALREADY_EXISTS       the battery is registered with other content (names the first differing field), or
  //   the
  //                        request_id was used with another request
  //   FAILED_PRECONDITION  the fact was erased and must not come back
  //   ABORTED              others kept writing to the same batteries: send the request again
  // A fact with the same type, subject, time and content is UNCHANGED. The same request_id gives the same
  // reply.
  absl::StatusOr<v1::ImportFactsResponse> ImportFacts(const Caller& caller,
                                                      const v1::ImportFactsRequest& request);

  // A proposal to correct this participant's own registration. A corrected identity part waits for the
  // registrar; other facts count at once.
  //   NOT_FOUND         it has not registered the battery
  //   INVALID_ARGUMENT  a field is wrong, or a part says what is in force already
  absl::StatusOr<v1::ProposeAmendmentResponse> ProposeAmendment(const Caller& caller,
                                                                const v1::ProposeAmendmentRequest& request);

 private:
  const RecordContext& context_;
};

}  // namespace tsunagi::passport
