// Who acts among the registrar's operators, and that two are not one (二者承認).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/caller.h"
#include "identity/context.h"
#include "identity/persons.h"

namespace tsunagi::identity {

// An operator as the registrar's operators see it and as leaves name it.
struct Actor {
  std::string shown;  // with the person's name
  std::string by;     // with the person's id
  StoredPerson person;
};

absl::StatusOr<Actor> ActorOf(const RegistrarContext& context, const Caller& caller);

// The same for who enters, proposes or approves. With two-person approval FAILED_PRECONDITION when the
// certificate names no person.
absl::StatusOr<Actor> ApproverOf(const RegistrarContext& context, const Caller& caller);

// OK when `entered` is known and another person than `approver`. FAILED_PRECONDITION otherwise.
absl::Status CheckOtherPerson(const StoredPerson& entered, const StoredPerson& approver);

}  // namespace tsunagi::identity
