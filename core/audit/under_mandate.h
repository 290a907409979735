// The mandate in the record of an act.
#pragma once

#include "core/base/caller.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::audit {

// Names holder and mandate when the caller acts under one; changes nothing otherwise.
inline void NameMandate(const Caller& caller, v1::Record& record) {
  if (caller.mandate().empty()) return;
  record.mutable_under_mandate()->set_holder(caller.did());
  record.mutable_under_mandate()->set_mandate(caller.mandate());
}

}  // namespace tsunagi::audit
