// What an operator or a member states about a participant: what passes the checks is on one line, bounded,
// and claims nothing twice.
#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>

#include "core/base/text.h"
#include "identity/checks.h"
#include "identity/identifiers.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsunagi;  // NOLINT: a program of its own
  identity::v1::Participant participant;
  if (!participant.ParseFromArray(data, static_cast<int>(size))) return 0;
  const absl::Status status = identity::CheckParticipant(participant);
  if (!IsValidUtf8(status.message())) std::abort();
  if (!status.ok()) return 0;
  for (const std::string* name :
       {&participant.name_ja(), &participant.name_latin(), &participant.name_kana()}) {
    if (!IsValidUtf8(*name) || name->find('\n') != std::string::npos) std::abort();
  }
  (void)identity::IdentifierWarnings(participant);
  for (auto claims : {identity::IdentifierClaims(participant), identity::NamespaceClaims(participant)}) {
    claims.erase(std::remove(claims.begin(), claims.end(), ""), claims.end());  // of serial prefixes
    if (std::set<std::string>(claims.begin(), claims.end()).size() != claims.size()) std::abort();
  }
  return 0;
}
