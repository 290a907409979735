// Who acted, in the record of an act.
#pragma once

#include "core/base/caller.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::audit {

// Names the account of the caller's session, and holder and mandate when it acts under one (代行).
inline void NameActor(const Caller& caller, v1::Record& record) {
  record.set_account(caller.account());
  if (caller.mandate().empty()) return;
  record.mutable_under_mandate()->set_holder(caller.did());
  record.mutable_under_mandate()->set_mandate(caller.mandate());
}

}  // namespace tsunagi::audit
