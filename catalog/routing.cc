#include "catalog/routing.h"

#include <algorithm>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/link.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "passport/model/identifiers.h"

namespace tsunagi::catalog {
namespace {

using identity::v1::Namespace;

// Participants with a namespace that `covers`.
std::vector<std::string> HoldersOf(const identity::TrustView& view,
                                   absl::FunctionRef<bool(const Namespace&)> covers) {
  std::vector<std::string> holders;
  for (const auto& [did, party] : view.by_did) {
    const auto& namespaces = party->participant.namespaces();
    if (std::any_of(namespaces.begin(), namespaces.end(), covers)) holders.push_back(did);
  }
  std::sort(holders.begin(), holders.end());
  return holders;
}

// Whom to ask for `holder`: itself, or once it has left its successor, otherwise its custodian, and so on.
std::string HeirOf(const identity::TrustView& view, std::string holder) {
  // The registrar lets nobody leave to one that has left, so that there is no ring.
  for (size_t hops = 0; hops < view.by_did.size(); ++hops) {
    const auto found = view.by_did.find(holder);
    if (found == view.by_did.end()) break;
    const identity::v1::Participant& participant = found->second->participant;
    if (participant.state() != identity::v1::PARTICIPANT_STATE_LEFT) break;
    const std::string& heir =
        participant.successor().empty() ? participant.custodian() : participant.successor();
    if (heir.empty()) break;
    holder = heir;
  }
  return holder;
}

std::vector<std::string> HeirsOf(const identity::TrustView& view, std::vector<std::string> holders) {
  for (std::string& holder : holders) holder = HeirOf(view, std::move(holder));
  std::sort(holders.begin(), holders.end());
  holders.erase(std::unique(holders.begin(), holders.end()), holders.end());
  return holders;
}

std::vector<std::string> RouteVehicle(const identity::TrustView& view,
                                      const passport::VehicleIdentifier& vehicle) {
  if (vehicle.is_vin()) {
    return HoldersOf(view, [&](const Namespace& space) {
      return space.has_vin_wmi() && space.vin_wmi() == vehicle.wmi();
    });
  }
  if (vehicle.type_code().empty()) return {};
  return HoldersOf(view, [&](const Namespace& space) {
    return space.has_chassis_type() && space.chassis_type() == vehicle.type_code();
  });
}

// Length of the longest registered prefix of the serial; 0 when there is none.
size_t LongestPrefix(const identity::TrustView& view, absl::string_view serial) {
  size_t longest = 0;
  for (const auto& [did, party] : view.by_did) {
    for (const Namespace& space : party->participant.namespaces()) {
      if (absl::StartsWith(serial, space.serial_prefix()))
        longest = std::max(longest, space.serial_prefix().size());
    }
  }
  return longest;
}

std::vector<std::string> RouteBattery(const identity::TrustView& view, const common::v1::BatteryId& battery) {
  if (view.by_did.contains(battery.manufacturer())) return {battery.manufacturer()};
  const size_t longest = LongestPrefix(view, battery.serial());
  // The empty prefix means all serials of its holder, not of everyone.
  if (longest == 0) return {};
  const absl::string_view prefix = absl::string_view(battery.serial()).substr(0, longest);
  return HoldersOf(view, [&](const Namespace& space) { return space.serial_prefix() == prefix; });
}

}  // namespace

absl::StatusOr<std::vector<std::string>> Route(const identity::TrustView& view,
                                               const common::v1::Subject& subject) {
  if (subject.has_battery()) {
    RETURN_IF_ERROR(passport::CheckBatteryId(subject.battery(), "battery"));
    return HeirsOf(view, RouteBattery(view, subject.battery()));
  }
  if (!subject.has_vehicle()) {
    return InvalidArgument({"SUBJECT_MISSING", "subject", "", "a battery by serial, or a vehicle"});
  }
  ASSIGN_OR_RETURN(const auto vehicle, passport::VehicleIdentifier::Parse(subject.vehicle()));
  return HeirsOf(view, RouteVehicle(view, vehicle));
}

absl::StatusOr<std::vector<common::v1::BatteryId>> RouteLink(const identity::TrustView& view,
                                                             absl::string_view link) {
  ASSIGN_OR_RETURN(const BatteryLink parsed, ParseLink(link));
  std::vector<common::v1::BatteryId> batteries;
  const auto covers = [&](const Namespace& space) {
    return space.has_link_domain() && space.link_domain() == parsed.domain;
  };
  for (const std::string& holder : HoldersOf(view, covers)) {
    common::v1::BatteryId& battery = batteries.emplace_back();
    battery.set_manufacturer(holder);
    battery.set_serial(parsed.serial);
  }
  if (!batteries.empty()) return batteries;
  return absl::FailedPreconditionError(
      absl::StrCat("no participant of the federation registered the link domain `", parsed.domain,
                   "`: name the battery by serial and manufacturer"));
}

}  // namespace tsunagi::catalog
