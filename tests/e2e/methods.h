// Every method that the federation's processes offer, found in the protos; and every access row.
#pragma once

#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "services/rpc/guard.h"

namespace tsunagi::e2e {

// Every service of package tsunagi.* that is linked in.
std::vector<const google::protobuf::ServiceDescriptor*> AllServices();

// `/package.Service/Method` of each.
std::vector<std::string> AllMethods();

// The rows of all processes together.
std::vector<rpc::AccessRow> AllRows();

}  // namespace tsunagi::e2e
