// Names from certificates, logs, directories and addresses: whatever is read has one spelling.
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/corporate_number.h"
#include "core/base/did.h"
#include "core/base/text.h"
#include "identity/checks.h"
#include "identity/identifiers.h"
#include "identity/names.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsunagi;  // NOLINT: a program of its own
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto did = Did::Parse(text); did.ok() && did->text() != text) std::abort();
  if (const auto label = Label::Parse(text); label.ok() && label->text() != text) std::abort();
  if (const auto number = CorporateNumber::Parse(text); number.ok() && number->text() != text) std::abort();
  if (const auto name = identity::ParseProcessUri(text);
      name.ok() && identity::ProcessUri(name->process, name->label, name->federation) != text) {
    std::abort();
  }
  if (const auto name = identity::ParseLogOrigin(text, "battery.example");
      name.ok() && identity::LogOrigin(name->process, name->label, "battery.example") != text) {
    std::abort();
  }
  for (const absl::Status& status :
       {Did::Parse(text).status(), Label::Parse(text).status(), CorporateNumber::Parse(text).status(),
        identity::CheckFederation(text), identity::CheckAddress(text), identity::CheckProcess(text)}) {
    // What is told of it can be shown.
    if (!IsValidUtf8(status.message())) std::abort();
  }
  for (const char* scheme : {"houjin-bangou", "lei", "duns", "bpnl", "cid", "other"}) {
    identity::v1::PartyIdentifier identifier;
    identifier.set_scheme(scheme);
    identifier.set_value(text);
    if (identity::CheckIdentifier(identifier).ok() && text.empty()) std::abort();
  }
  return 0;
}
