#include "connector/transfer/release_record.h"

#include <iterator>
#include <utility>

namespace tsunagi::connector {

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
