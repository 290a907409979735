// Matchers for absl::Status and absl::StatusOr.
#pragma once

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"

namespace tsunagi::testing {

// Inside namespace tsunagi, `testing::` finds this namespace first: let it find GoogleTest's names too.
using namespace ::testing;  // NOLINT(google-build-using-namespace)

namespace internal_status {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

class StatusIsMatcher {
 public:
  StatusIsMatcher(absl::StatusCode code, ::testing::Matcher<const std::string&> message)
      : code_(code), message_(std::move(message)) {}
  template <typename T>
  bool MatchAndExplain(const T& value, ::testing::MatchResultListener* listener) const {
    const absl::Status& status = StatusOf(value);
    *listener << "which is " << status.ToString();
    return status.code() == code_ && message_.Matches(std::string(status.message()));
  }
  void DescribeTo(std::ostream* os) const {
    *os << "is " << absl::StatusCodeToString(code_) << " with a message that ";
    message_.DescribeTo(os);
  }
  void DescribeNegationTo(std::ostream* os) const {
    *os << "is not " << absl::StatusCodeToString(code_) << " with a message that ";
    message_.DescribeTo(os);
  }

 private:
  absl::StatusCode code_;
  ::testing::Matcher<const std::string&> message_;
};

template <typename Inner>
class IsOkAndHoldsMatcher {
 public:
  explicit IsOkAndHoldsMatcher(Inner inner) : inner_(std::move(inner)) {}
  template <typename T>
  bool MatchAndExplain(const absl::StatusOr<T>& result, ::testing::MatchResultListener* listener) const {
    if (!result.ok()) {
      *listener << "which is " << result.status().ToString();
      return false;
    }
    return ::testing::SafeMatcherCast<const T&>(inner_).MatchAndExplain(*result, listener);
  }
  void DescribeTo(std::ostream* os) const { *os << "is OK and holds the expected value"; }
  void DescribeNegationTo(std::ostream* os) const { *os << "is not OK or holds another value"; }

 private:
  Inner inner_;
};

}  // namespace internal_status

// EXPECT_THAT(x, StatusIs(absl::StatusCode::kNotFound, HasSubstr("a-17"))).
inline auto StatusIs(absl::StatusCode code) {
  return ::testing::MakePolymorphicMatcher(internal_status::StatusIsMatcher(code, ::testing::_));
}
template <typename Message>
auto StatusIs(absl::StatusCode code, Message&& message) {
  return ::testing::MakePolymorphicMatcher(internal_status::StatusIsMatcher(
      code, ::testing::MatcherCast<const std::string&>(std::forward<Message>(message))));
}

// EXPECT_THAT(x, IsOk()) prints the status when it fails.
inline auto IsOk() { return StatusIs(absl::StatusCode::kOk); }

// EXPECT_THAT(Parse("1"), IsOkAndHolds(1)); the argument may be a matcher.
template <typename Inner>
auto IsOkAndHolds(Inner inner) {
  return ::testing::MakePolymorphicMatcher(internal_status::IsOkAndHoldsMatcher<Inner>(std::move(inner)));
}

}  // namespace tsunagi::testing
