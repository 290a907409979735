// Where a browser on this machine comes back to after a person has signed in (RFC 8252 section 7.3).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/http/form.h"

namespace tsunagi::http {

// Listens on 127.0.0.1 for one request `GET /callback?…` by plain HTTP. Not thread-safe.
class LoopbackListener {
 public:
  // Port 0 takes a free one. UNAVAILABLE when the port cannot be had.
  static absl::StatusOr<std::unique_ptr<LoopbackListener>> Open(int port);
  virtual ~LoopbackListener() = default;

  virtual int port() const = 0;

  // Blocks until a browser brings this `state`, and tells it that the person may go back to the command line;
  // returns what it brought. Whatever else comes, 16 connections at a time and each for at most 10 s, is
  // answered with 400 or 404 and changes nothing. DEADLINE_EXCEEDED after `timeout`.
  virtual absl::StatusOr<Form> Wait(const std::string& state, absl::Duration timeout) = 0;
};

}  // namespace tsunagi::http
