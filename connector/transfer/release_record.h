// What the passport answered with, and the record of its release.
#pragma once

#include <string>
#include <vector>

#include "connector/enforcer.h"
#include "connector/own_node.h"
#include "tsunagi/audit/v1/record.pb.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::connector {

// The batteries that were read, in order.
std::vector<common::v1::BatteryId> BatteriesIn(const passport::v1::ReadPartsResponse& read);

// The part of a record that a release and a chunk share: everything but battery and content.
void FillRecord(const OwnNode& own, const Use& use, const Authorization& authorization, policy::PartMask open,
                const std::vector<std::string>& obligations, audit::v1::ReleaseRecord& record);

// The store keys that the decision read, and those that were read under it.
std::vector<std::string> ReadKeys(const Authorization& authorization,
                                  const std::vector<std::string>& parts_read);

// Moves the keys that the passport names out of its answer, behind `keys`.
void TakeReadKeys(passport::v1::ReadPartsResponse& read, std::vector<std::string>& keys);

}  // namespace tsunagi::connector
