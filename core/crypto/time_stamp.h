// RFC 3161 time stamps: the request, the check of the authority's reply, and of a kept stamp years later.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tsunagi::crypto {

// A reply, and so a token, has at most this many bytes.
inline constexpr size_t kMaxTimeStampBytes = 32 << 10;

// What an authority is asked to stamp.
struct TimeStampQuery {
  std::string message;  // its SHA-256 is sent
  std::string nonce;    // fresh random bytes, 8 to 32
  std::string policy;   // object identifier in dotted form; empty leaves it to the authority
};

// TimeStampReq (section 2.4.1, DER) that asks for the signer's certificates too. INVALID_ARGUMENT on a wrong
// nonce or policy.
absl::StatusOr<std::string> MakeTimeStampRequest(const TimeStampQuery& query);

// True for an object identifier in dotted form, such as 1.2.392.200091.
bool IsObjectIdentifier(const std::string& text);

// What a verified stamp says: the message was there no later than `time`.
struct TimeStamp {
  absl::Time time;        // genTime, in whole seconds: a fraction is cut off
  std::string policy;     // under which it was made, dotted form
  std::string authority;  // subject of the signer's certificate (RFC 4514, controls escaped)
};

// A reply that was accepted.
struct StampedReply {
  std::string token;  // TimeStampToken (section 2.4.2, DER): what is kept
  TimeStamp stamp;
};

// Checks stamps under the roots of one authority. Immutable, so thread-safe.
class TimeStampVerifier {
 public:
  // 1 to 16 certificates with any kind of key: roots, and what is between a root and the signer in case the
  // authority does not send it. INVALID_ARGUMENT when there are none, one cannot be read, or none is a root.
  static absl::StatusOr<TimeStampVerifier> FromPem(absl::string_view roots_pem);

  // The TimeStampResp (section 2.4.2, DER) that answers `query` and nothing else, checked as Verify does.
  //   INVALID_ARGUMENT     it is no such reply, or too long
  //   FAILED_PRECONDITION  the authority refused: its status and reasons
  //   UNAUTHENTICATED      nonce, message, policy, signature or certificates are wrong
  absl::StatusOr<StampedReply> OpenReply(absl::string_view reply, const TimeStampQuery& query) const;

  // Checks a token over `message`: version, message, signature, and a chain from its signer, whose only
  // extended key usage is timeStamping, to a root, each of which was valid at the time in the stamp, however
  // long ago. No SHA-1. Errors as above.
  absl::StatusOr<TimeStamp> Verify(absl::string_view token, absl::string_view message) const;

 private:
  explicit TimeStampVerifier(std::vector<std::string> certificates)
      : certificates_(std::move(certificates)) {}

  const std::vector<std::string> certificates_;  // DER
};

}  // namespace tsunagi::crypto
