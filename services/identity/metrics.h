// The metrics of the registrar beside those of every process.
#pragma once

#include "identity/registrar.h"
#include "services/metrics/families.h"

namespace tsunagi::identity {

// Thread-safe; reads the store's list of what waits for approval.
void AddRegistrar(Registrar& registrar, metrics::Families& families);

}  // namespace tsunagi::identity
