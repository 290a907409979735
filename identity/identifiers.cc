#include "identity/identifiers.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/corporate_number.h"
#include "core/base/error.h"

namespace tsunagi::identity {
namespace {

constexpr size_t kLeiSize = 20;
constexpr size_t kDunsSize = 9;
constexpr size_t kCidSize = 9;
constexpr size_t kBpnlSize = 16;
constexpr size_t kMaxValue = 64;

bool AreDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

bool IsUpperAlphanumeric(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isupper(c) || absl::ascii_isdigit(c); });
}

// 0 to 9, then A = 10 to Z = 35.
uint32_t ValueOf(unsigned char c) {
  return static_cast<uint32_t>(absl::ascii_isdigit(c) ? c - '0' : c - 'A' + 10);
}

// The two check digits of the first 18 characters of an LEI: 02 to 98, so that each has one spelling.
std::string LeiCheckDigits(absl::string_view base) {
  uint32_t rest = 0;
  for (const char each : base) {
    const auto c = static_cast<unsigned char>(each);
    rest = (rest * (absl::ascii_isdigit(c) ? 10 : 100) + ValueOf(c)) % 97;
  }
  return absl::StrFormat("%02u", 98 - rest * 100 % 97);
}

absl::Status CheckLei(absl::string_view value) {
  if (value.size() != kLeiSize || !IsUpperAlphanumeric(value)) {
    return InvalidArgument(
        {"IDENTIFIER_INVALID", "identifiers.value", value, "an LEI: 20 capital letters and digits"});
  }
  const std::string check = LeiCheckDigits(value.substr(0, kLeiSize - 2));
  if (absl::EndsWith(value, check)) return absl::OkStatus();
  return InvalidArgument({"CHECK_DIGIT_WRONG", "identifiers.value", value,
                          absl::StrCat("an LEI whose last two digits (check digits) are ", check)});
}

// The check characters of the 10 entity characters of a BPN.
std::string BpnCheckCharacters(absl::string_view entity) {
  constexpr absl::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr uint32_t kModulus = 1271;
  uint32_t rest = 0;
  for (const char c : entity) rest = (rest * 36 + ValueOf(static_cast<unsigned char>(c))) % kModulus;
  const uint32_t check = (kModulus + 1 - rest * (36 * 36) % kModulus) % kModulus;
  return {kAlphabet[check / 36], kAlphabet[check % 36]};
}

// Empty when there is nothing to look at. The value is printable: it was checked.
std::string BpnlWarning(absl::string_view value) {
  if (value.size() != kBpnlSize || !absl::StartsWith(value, "BPNL") || !IsUpperAlphanumeric(value)) {
    return absl::StrCat("bpnl `", value,
                        "` has not the form `BPNL` and 12 capital letters and digits: look it up");
  }
  const std::string check = BpnCheckCharacters(value.substr(4, 10));
  if (absl::EndsWith(value, check)) return "";
  return absl::StrCat("bpnl `", value, "` does not end with its check characters ", check, ": look it up");
}

}  // namespace

absl::Status CheckIdentifier(const v1::PartyIdentifier& identifier) {
  const std::string& value = identifier.value();
  const auto invalid = [&](absl::string_view expected) {
    return InvalidArgument({"IDENTIFIER_INVALID", "identifiers.value", value, expected});
  };
  if (identifier.scheme() == "houjin-bangou") return CorporateNumber::Parse(value).status();
  if (identifier.scheme() == "lei") return CheckLei(value);
  if (identifier.scheme() == "duns") {
    return value.size() == kDunsSize && AreDigits(value) ? absl::OkStatus()
                                                         : invalid("a DUNS: 9 digits without hyphens");
  }
  if (identifier.scheme() == "cid") {
    const bool well_formed =
        value.size() == kCidSize && absl::StartsWith(value, "CID") && AreDigits(value.substr(3));
    return well_formed ? absl::OkStatus() : invalid("a smelter's CID: `CID` and 6 digits");
  }
  const bool printable = !value.empty() && value.size() <= kMaxValue &&
                         std::all_of(value.begin(), value.end(), absl::ascii_isgraph);
  return printable ? absl::OkStatus() : invalid("1 to 64 printable ASCII characters without spaces");
}

std::vector<std::string> IdentifierWarnings(const v1::Participant& participant) {
  std::vector<std::string> warnings;
  for (const v1::PartyIdentifier& identifier : participant.identifiers()) {
    if (identifier.scheme() == "duns") {
      warnings.push_back(absl::StrCat("duns `", identifier.value(),
                                      "` has no check digit: compare it with the entry at D&B"));
    } else if (identifier.scheme() == "bpnl") {
      std::string warning = BpnlWarning(identifier.value());
      if (!warning.empty()) warnings.push_back(std::move(warning));
    }
  }
  return warnings;
}

}  // namespace tsunagi::identity
