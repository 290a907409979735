#include "connector/policy/scope.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"

namespace tsunagi::policy {
namespace {

using connector::v1::AgreementTarget;
using RepeatedTargets = google::protobuf::RepeatedPtrField<AgreementTarget>;

PartMask MaskFor(const Targets& targets, absl::string_view serial) {
  PartMask mask = 0;
  for (const auto& [prefix, target] : targets) {
    if (absl::StartsWith(serial, prefix)) mask |= target;
  }
  return mask;
}

PartMask MaskForAny(const Targets& targets) {
  PartMask mask = 0;
  for (const auto& [prefix, target] : targets) mask |= target;
  return mask;
}

PartMask MaskForEvery(const Targets& targets) {
  const auto it = targets.find("");
  return it == targets.end() ? 0 : it->second;
}

Targets Masked(const Targets& targets, PartMask mask) {
  Targets masked;
  for (const auto& [prefix, target] : targets) {
    if ((target & mask) != 0) masked[prefix] = target & mask;
  }
  return masked;
}

void Write(const Targets& targets, RepeatedTargets& written) {
  for (const auto& [prefix, mask] : targets) {
    AgreementTarget& target = *written.Add();
    target.set_serial_prefix(prefix);
    for (const PartKind kind : KindsIn(mask)) target.add_parts(kind);
    target.set_lookup((mask & kLookupBit) != 0);
  }
}

absl::StatusOr<PartMask> MaskOf(const AgreementTarget& target, absl::string_view field) {
  const PartMask known = PermitsOf(~SectionMask{0});
  PartMask mask = target.lookup() ? kLookupBit : 0;
  for (const int kind : target.parts()) {
    if (kind <= 0 || kind >= 32 || (known >> kind & 1u) == 0) {
      return InvalidArgument({"PART_UNKNOWN", absl::StrCat(field, ".parts"), absl::StrCat(kind),
                              "a kind of part that belongs to a section"});
    }
    mask |= BitOf(static_cast<PartKind>(kind));
  }
  if (mask != 0) return mask;
  return InvalidArgument({"TARGET_EMPTY", absl::StrCat(field, ".parts"), "", "a kind of part, or `lookup`"});
}

absl::StatusOr<Targets> Read(const RepeatedTargets& written, absl::string_view field) {
  Targets targets;
  for (const AgreementTarget& target : written) {
    if (!targets.empty() && target.serial_prefix() <= targets.rbegin()->first) {
      return InvalidArgument({"TARGETS_UNORDERED", absl::StrCat(field, ".serial_prefix"),
                              target.serial_prefix(), "targets in order of prefix, each once"});
    }
    ASSIGN_OR_RETURN(targets[target.serial_prefix()], MaskOf(target, field));
  }
  return targets;
}

}  // namespace

PartMask Scope::For(absl::optional<absl::string_view> serial) const {
  if (serial.has_value()) return MaskFor(permitted, *serial) & ~MaskFor(prohibited, *serial);
  return MaskForAny(permitted) & ~MaskForEvery(prohibited);
}

PartMask Scope::ForEvery() const { return MaskForEvery(permitted) & ~MaskForAny(prohibited); }

Scope Scope::Within(PartMask mask) const {
  const PartMask open = mask & For(absl::nullopt);
  return {Masked(permitted, open), Masked(prohibited, open)};
}

void SetScope(const Scope& scope, connector::v1::Agreement& agreement) {
  agreement.clear_permissions();
  agreement.clear_prohibitions();
  Write(scope.permitted, *agreement.mutable_permissions());
  Write(scope.prohibited, *agreement.mutable_prohibitions());
}

absl::StatusOr<Scope> ScopeOf(const connector::v1::Agreement& agreement) {
  Scope scope;
  ASSIGN_OR_RETURN(scope.permitted, Read(agreement.permissions(), "permissions"));
  ASSIGN_OR_RETURN(scope.prohibited, Read(agreement.prohibitions(), "prohibitions"));
  if (!scope.permitted.empty()) return scope;
  return InvalidArgument({"PERMISSION_MISSING", "permissions", "", "at least one permission"});
}

}  // namespace tsunagi::policy
