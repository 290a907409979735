#include "connector/transfer/content.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "connector/transfer/open_parts.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"

namespace tsunagi::connector {

absl::StatusOr<absl::optional<Content>> BuildContent(const Authorization& authorization,
                                                     passport::v1::ReadParts read) {
  Content content;
  ASSIGN_OR_RETURN(content.open, OpenParts(read.events()));
  if ((content.open & ~authorization.part_mask()) != 0) {
    log::Error("the passport opened parts that the grant does not open",
               {{"serial", read.battery().serial()}});
    return absl::InternalError("the passport opened more than was granted");
  }
  if (content.open == 0 && !authorization.lookup) return absl::nullopt;
  v1::ReleasedContent message;
  *message.mutable_battery() = read.battery();
  if (content.open != 0) message.set_events(std::move(*read.mutable_events()));
  for (const policy::Section section : policy::SectionsIn(authorization.asked)) {
    const absl::string_view reason = authorization.ReasonFor(section, content.open);
    if (reason.empty()) continue;
    v1::WithheldSection* withheld = message.add_withheld();
    withheld->set_section(section);
    withheld->set_reason(std::string(reason));
  }
  content.obligations = authorization.Obligations(content.open);
  for (const std::string& duty : content.obligations) message.add_obligations(duty);
  for (const common::v1::BatteryId& other : authorization.other_batteries)
    *message.add_other_batteries() = other;
  message.SerializeToString(&content.bytes);
  content.battery = std::move(*read.mutable_battery());
  return content;
}

std::vector<common::v1::BatteryId> BatteriesIn(const passport::v1::ReadPartsResponse& read) {
  std::vector<common::v1::BatteryId> batteries;
  for (const passport::v1::ReadParts& one : read.batteries()) batteries.push_back(one.battery());
  return batteries;
}

void FillRecord(const OwnNode& own, const Use& use, const Authorization& authorization, policy::PartMask open,
                const std::vector<std::string>& obligations, audit::v1::ReleaseRecord& record) {
  record.set_provider(own.did);
  record.set_consumer(use.asker.did);
  for (const policy::PartKind kind : policy::KindsIn(open)) record.add_parts(kind);
  record.set_purpose(use.purpose);
  if (authorization.agreement != nullptr) record.set_agreement(authorization.agreement->agreement.id());
  record.set_policy_version(authorization.policies->version());
  record.set_request_digest(use.request_digest);
  for (const std::string& duty : obligations) record.add_obligations(duty);
  for (const common::v1::BatteryId& other : authorization.other_batteries)
    *record.add_other_batteries() = other;
}

std::vector<std::string> ReadKeys(const Authorization& authorization,
                                  const std::vector<std::string>& parts_read) {
  std::vector<std::string> keys = parts_read;
  keys.push_back(PolicyStore::Key());
  if (authorization.agreement != nullptr)
    keys.push_back(AgreementTable::Key(authorization.agreement->agreement.id()));
  return keys;
}

void TakeReadKeys(passport::v1::ReadPartsResponse& read, std::vector<std::string>& keys) {
  std::move(read.mutable_read_keys()->begin(), read.mutable_read_keys()->end(), std::back_inserter(keys));
  read.clear_read_keys();
}

}  // namespace tsunagi::connector
