// The fold of vehicle facts.
#pragma once

#include <vector>

#include "passport/model/fold_draft.h"

namespace tsunagi::passport {

// Sets the standing of every vehicle statement. Whoever mounted the battery first may go on, or whoever got
// custody from there; others' statements override nothing. First is who was dated first by the registrar: a
// dated event comes before one that is not yet dated, and the authors' own times order only what was dated
// alike. The statements of one holder are ordered by its own times, so that what it files later may be older.
// `drafts` are in order of `events`, which are all events of the battery.
void FoldVehicle(std::vector<Draft>& drafts, const std::vector<VerifiedEvent>& events);

}  // namespace tsunagi::passport
