// The denials of one process, written when their minute is over.
#pragma once

#include "core/audit/denial_log.h"
#include "services/process/ticker.h"

namespace tsunagi::process {

class Denials {
 public:
  // Both must outlive the object.
  Denials(audit::Journal& journal, const Clock& clock) : log_(journal, clock) {}

  audit::DenialLog& log() { return log_; }

 private:
  audit::DenialLog log_;
  // Often enough that a minute's denials are written soon after it.
  Ticker flush_{absl::Seconds(10), [this] { log_.Flush(); }};
};

}  // namespace tsunagi::process
