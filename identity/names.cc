#include "identity/names.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"

namespace tsunagi::identity {
namespace {

constexpr absl::string_view kProcessNames = "node, connector, catalog, passport, operator or registrar";
constexpr size_t kMaxFederation = 100;

}  // namespace

std::string ProcessDnsName(absl::string_view process, absl::string_view label, absl::string_view federation) {
  return absl::StrCat(process, ".", label, ".", federation, ".internal");
}

std::string ProcessUri(absl::string_view process, absl::string_view label, absl::string_view federation) {
  return absl::StrCat("spiffe://", federation, "/participant/", label, "/", process);
}

std::string LogOrigin(absl::string_view process, absl::string_view label, absl::string_view federation) {
  return absl::StrCat(label, ".", federation, "/", process);
}

std::string WitnessName(absl::string_view federation) {
  return absl::StrCat(kRegistrarLabel, ".", federation);
}

std::string DirectoryUri(absl::string_view federation) {
  return absl::StrCat("spiffe://", federation, "/registrar/directory");
}

std::string StatusUri(absl::string_view federation) {
  return absl::StrCat("spiffe://", federation, "/registrar/status");
}

absl::StatusOr<ProcessName> ParseProcessUri(absl::string_view uri) {
  const absl::Status wrong =
      InvalidArgument({"URI_WRONG", "uri", uri, "spiffe://<federation>/participant/<label>/<process>"});
  if (!absl::ConsumePrefix(&uri, "spiffe://")) return wrong;
  const std::vector<std::string> parts = absl::StrSplit(uri, '/');
  if (parts.size() != 4 || parts[1] != "participant") return wrong;
  RETURN_IF_ERROR(CheckFederation(parts[0]));
  RETURN_IF_ERROR(Label::Parse(parts[2]).status());
  RETURN_IF_ERROR(CheckProcess(parts[3]));
  return ProcessName{parts[0], parts[2], parts[3]};
}

absl::StatusOr<ProcessName> ParseLogOrigin(absl::string_view origin, absl::string_view federation) {
  const absl::Status wrong =
      InvalidArgument({"ORIGIN_WRONG", "origin", origin, absl::StrCat("<label>.", federation, "/<process>")});
  const std::vector<std::string> parts = absl::StrSplit(origin, '/');
  if (parts.size() != 2) return wrong;
  absl::string_view label = parts[0];
  if (!absl::ConsumeSuffix(&label, absl::StrCat(".", federation))) return wrong;
  RETURN_IF_ERROR(Label::Parse(label).status());
  RETURN_IF_ERROR(CheckProcess(parts[1]));
  return ProcessName{std::string(federation), std::string(label), parts[1]};
}

absl::Status CheckProcess(absl::string_view process) {
  constexpr std::array<absl::string_view, 6> kProcesses = {"node",     "connector",      "catalog",
                                                           "passport", kOperatorProcess, "registrar"};
  if (std::find(kProcesses.begin(), kProcesses.end(), process) != kProcesses.end()) return absl::OkStatus();
  return InvalidArgument({"PROCESS_UNKNOWN", "process", process, kProcessNames});
}

absl::Status CheckFederation(absl::string_view federation) {
  const std::vector<absl::string_view> labels = absl::StrSplit(federation, '.');
  const bool well_formed = labels.size() >= 2 && federation.size() <= kMaxFederation &&
                           std::all_of(labels.begin(), labels.end(),
                                       [](absl::string_view label) { return Label::Parse(label).ok(); });
  if (well_formed) return absl::OkStatus();
  return InvalidArgument(
      {"FEDERATION_WRONG", "federation", federation, "a DNS name in lower case such as battery.example"});
}

}  // namespace tsunagi::identity
