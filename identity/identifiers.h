// Identifiers of companies and plants: their forms and check digits. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tsunagi/identity/v1/directory.pb.h"

namespace tsunagi::identity {

// OK when the value has the form of its scheme. INVALID_ARGUMENT naming what was expected.
//   houjin-bangou  13 digits, the first is the check digit (法人番号)
//   lei            20 of [A-Z0-9], the last two check digits (ISO 17442: ISO/IEC 7064 MOD 97-10)
//   duns           9 digits
//   cid            `CID` and 6 digits (RMI)
//   others         1 to 64 printable ASCII characters without spaces
absl::Status CheckIdentifier(const v1::PartyIdentifier& identifier);

// What is unusual about the identifiers and is for people to look at, one sentence each: a DUNS, which has no
// check digit, and a BPNL of another form or with other check characters than Catena-X CX-0010 gives them
// (issued ones are checked over their 10 entity characters, ISO/IEC 7064 MOD 1271-36; many samples fail).
std::vector<std::string> IdentifierWarnings(const v1::Participant& participant);

}  // namespace tsunagi::identity
