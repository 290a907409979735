// Facts as a user hands them in, checked whole before anything is written.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::passport {

// Checks type, subject, time, that the parts fit the type's slots (each at most once, the first one present),
// and every field of every part. Amendments are refused: they have a call of their own. INVALID_ARGUMENT
// naming field, value and what was expected; adds remarks (a VIN's check digit) to `warnings`.
absl::Status CheckFact(const v1::NewFact& fact, absl::Time now, std::vector<std::string>& warnings);

// CheckFact for the corrected parts of a proposal: any of identity, structure, materials, regulation, at
// least one.
absl::Status CheckAmendment(const v1::ProposeAmendmentRequest& request, absl::Time now,
                            std::vector<std::string>& warnings);

// The first field in which two parts of one kind differ, e.g. `materials.lithium_kg`; empty when they say the
// same, whatever their bytes.
std::string FirstDifference(v1::PartKind kind, absl::string_view a, absl::string_view b);

}  // namespace tsunagi::passport
