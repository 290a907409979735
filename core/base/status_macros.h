// RETURN_IF_ERROR and ASSIGN_OR_RETURN with the semantics of later Abseil releases, to be dropped for those.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// A parameter here may be a declaration (`lhs`) or a name (`temp`), which take no parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define TSUNAGI_CONCAT_INNER_(a, b) a##b
#define TSUNAGI_CONCAT_(a, b) TSUNAGI_CONCAT_INNER_(a, b)

// Returns the status of `expr` from the enclosing function unless it is OK.
#define RETURN_IF_ERROR(expr)                                       \
  do {                                                              \
    if (absl::Status status_or_ok_ = (expr); !status_or_ok_.ok()) { \
      return status_or_ok_;                                         \
    }                                                               \
  } while (false)

// Assigns the value of `expr` (an absl::StatusOr) to `lhs`, or returns its status.
#define ASSIGN_OR_RETURN(lhs, expr) \
  TSUNAGI_ASSIGN_OR_RETURN_(TSUNAGI_CONCAT_(status_or_, __LINE__), lhs, expr)

#define TSUNAGI_ASSIGN_OR_RETURN_(temp, lhs, expr) \
  auto temp = (expr);                              \
  if (!temp.ok()) return std::move(temp).status(); \
  lhs = std::move(temp).value()
// NOLINTEND(bugprone-macro-parentheses)
