#include "identity/operators.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "identity/act.h"

namespace tsunagi::identity {

absl::StatusOr<Actor> ActorOf(const RegistrarContext& context, const Caller& caller) {
  ASSIGN_OR_RETURN(const std::optional<StoredPerson> person,
                   FindPerson(context.journal.store(), caller.certificate_sha256()));
  Actor actor{ByOf(caller), ByOf(caller), {}};
  if (person.has_value()) {
    absl::StrAppend(&actor.shown, " (", person->name(), ")");
    absl::StrAppend(&actor.by, " person:", person->id());
    actor.person = *person;
  }
  return actor;
}

absl::StatusOr<Actor> ApproverOf(const RegistrarContext& context, const Caller& caller) {
  ASSIGN_OR_RETURN(Actor actor, ActorOf(context, caller));
  if (!context.options.two_person_approval || !actor.person.id().empty()) return actor;
  return absl::FailedPreconditionError(
      "two-person approval is on and this certificate names no person: enrol with an invitation made with "
      "`tsunagi participant invite registrar --process operator --person NAME`");
}

absl::Status CheckOtherPerson(const StoredPerson& entered, const StoredPerson& approver) {
  if (entered.id().empty()) {
    return absl::FailedPreconditionError(
        "it was entered by nobody who is known as a person: decline it and enter it again");
  }
  if (entered.id() != approver.id()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "you entered it: with two-person approval another person must approve it");
}

}  // namespace tsunagi::identity
