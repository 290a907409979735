// The names by which processes, logs and the registrar's keys are known: docs/architecture.md, "Names on the
// wire".
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi::identity {

// Label and role of the registrar in its own directory.
inline constexpr absl::string_view kRegistrarLabel = "registrar";
inline constexpr absl::string_view kRegistrarRole = "registrar";
// Process of people's command lines.
inline constexpr absl::string_view kOperatorProcess = "operator";

// Payload type of the envelope in which a key signs its participant's DID, to prove that the caller holds it.
inline constexpr absl::string_view kKeyPossessionPayload = "tsunagi/key-possession/v1";

// The one DNS name in the certificate of a process: `<process>.<label>.<federation>.internal`.
std::string ProcessDnsName(absl::string_view process, absl::string_view label, absl::string_view federation);
// The one URI in it: `spiffe://<federation>/participant/<label>/<process>`.
std::string ProcessUri(absl::string_view process, absl::string_view label, absl::string_view federation);
// Origin of a process's log: `<label>.<federation>/<process>`.
std::string LogOrigin(absl::string_view process, absl::string_view label, absl::string_view federation);
// Name of the registrar's cosignatures, and log_origin of the key that makes them: `registrar.<federation>`.
std::string WitnessName(absl::string_view federation);
// The one URI in the certificate of the key that signs directory and entries.
std::string DirectoryUri(absl::string_view federation);
// The one URI in the certificate of the key that signs the status list.
std::string StatusUri(absl::string_view federation);

// A process as its certificate or log names it.
struct ProcessName {
  std::string federation;
  std::string label;
  std::string process;
};

// The reverse of ProcessUri. INVALID_ARGUMENT on anything that ProcessUri would not write.
absl::StatusOr<ProcessName> ParseProcessUri(absl::string_view uri);
// The reverse of LogOrigin within `federation`. INVALID_ARGUMENT likewise.
absl::StatusOr<ProcessName> ParseLogOrigin(absl::string_view origin, absl::string_view federation);

// OK for the processes that certificates may name: node, connector, catalog, passport, operator, registrar.
// INVALID_ARGUMENT otherwise.
absl::Status CheckProcess(absl::string_view process);
// OK for a federation's name: a DNS name in lower case with at least two labels, at most 100 characters.
// INVALID_ARGUMENT otherwise.
absl::Status CheckFederation(absl::string_view federation);

}  // namespace tsunagi::identity
