#include "identity/checks.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "identity/identifiers.h"
#include "identity/names.h"

namespace tsunagi::identity {
namespace {

constexpr size_t kMaxName = 200;
constexpr int kMaxIdentifiers = 16;
constexpr int kMaxPlants = 200;
constexpr int kMaxNamespaces = 500;
constexpr int kMaxRoles = 32;
constexpr int kMaxContacts = 20;

template <class Allowed>
bool IsWord(absl::string_view text, size_t max, Allowed allowed) {
  return !text.empty() && text.size() <= max && std::all_of(text.begin(), text.end(), [&](char c) {
    return allowed(static_cast<unsigned char>(c));
  });
}

bool IsLowerWord(absl::string_view text) {
  return IsWord(text, 40,
                [](unsigned char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-'; });
}

bool IsUpperCode(absl::string_view text, size_t max) {
  return IsWord(text, max, [](unsigned char c) { return absl::ascii_isupper(c) || absl::ascii_isdigit(c); });
}

bool IsDomain(absl::string_view text) {
  const std::vector<absl::string_view> labels = absl::StrSplit(text, '.');
  return labels.size() >= 2 && text.size() <= 253 &&
         std::all_of(labels.begin(), labels.end(), [](absl::string_view label) {
           return IsLowerWord(label) && label.front() != '-' && label.back() != '-';
         });
}

absl::Status Repeated(absl::string_view field, absl::string_view value) {
  return InvalidArgument({"REPEATED", field, value, "each value once"});
}

absl::Status CheckCount(absl::string_view field, int count, int max) {
  if (count <= max) return absl::OkStatus();
  return InvalidArgument({"TOO_MANY", field, absl::StrCat(count, " values"), absl::StrCat("at most ", max)});
}

}  // namespace

absl::Status CheckRole(absl::string_view field, absl::string_view role) {
  if (IsLowerWord(role) && role != kRegistrarRole) return absl::OkStatus();
  return InvalidArgument(
      {"ROLE_INVALID", field, role, "1 to 40 of [a-z0-9-] such as cell-maker, and not registrar"});
}

absl::Status CheckNamespace(const v1::Namespace& space) {
  switch (space.kind_case()) {
    case v1::Namespace::kChassisType:
      if (IsUpperCode(space.chassis_type(), 20)) return absl::OkStatus();
      return InvalidArgument(
          {"CHASSIS_TYPE_INVALID", "namespaces.chassis_type", space.chassis_type(),
           "the type code before the hyphen in half-width capitals and digits, such as ZE1"});
    case v1::Namespace::kVinWmi: {
      const std::string& wmi = space.vin_wmi();
      // A third character of 9 is shared by small makers: nobody may have it whole.
      const bool well_formed = IsUpperCode(wmi, 6) && wmi.size() >= 3 &&
                               wmi.size() == (wmi[2] == '9' ? 6U : 3U) &&
                               wmi.find_first_of("IOQ") == std::string::npos;
      if (well_formed) return absl::OkStatus();
      return InvalidArgument(
          {"WMI_INVALID", "namespaces.vin_wmi", wmi,
           "3 characters of a VIN, or 6 (positions 1 to 3 and 12 to 14) when the third is 9"});
    }
    case v1::Namespace::kSerialPrefix:
      if (space.serial_prefix().empty() || IsWord(space.serial_prefix(), 64, [](unsigned char c) {
            return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '/' || c == '-';
          })) {
        return absl::OkStatus();
      }
      return InvalidArgument({"SERIAL_PREFIX_INVALID", "namespaces.serial_prefix", space.serial_prefix(),
                              "at most 64 of [A-Z a-z 0-9 . _ / -]"});
    case v1::Namespace::kLinkDomain:
      if (IsDomain(space.link_domain())) return absl::OkStatus();
      return InvalidArgument({"LINK_DOMAIN_INVALID", "namespaces.link_domain", space.link_domain(),
                              "a DNS name in lower case such as id.example.jp"});
    case v1::Namespace::KIND_NOT_SET:
      return InvalidArgument(
          {"NAMESPACE_EMPTY", "namespaces", "", "one of chassis_type, vin_wmi, serial_prefix, link_domain"});
  }
  return absl::InternalError("namespace of no known kind");
}

namespace {

absl::Status CheckNames(const v1::Participant& participant) {
  RETURN_IF_ERROR(CheckText("name_latin", participant.name_latin(), kMaxName, /*required=*/true));
  RETURN_IF_ERROR(CheckText("name_ja", participant.name_ja(), kMaxName, /*required=*/false));
  RETURN_IF_ERROR(CheckText("name_kana", participant.name_kana(), kMaxName, /*required=*/false));
  RETURN_IF_ERROR(CheckCount("plants", participant.plants_size(), kMaxPlants));
  std::set<absl::string_view> plants;
  for (const std::string& plant : participant.plants()) {
    RETURN_IF_ERROR(CheckText("plants", plant, kMaxName, /*required=*/true));
    if (!plants.insert(plant).second) return Repeated("plants", plant);
  }
  return absl::OkStatus();
}

absl::Status CheckRoles(const v1::Participant& participant) {
  RETURN_IF_ERROR(CheckCount("roles", participant.roles_size(), kMaxRoles));
  std::set<absl::string_view> roles;
  for (const std::string& role : participant.roles()) {
    RETURN_IF_ERROR(CheckRole("roles", role));
    if (!roles.insert(role).second) return Repeated("roles", role);
  }
  return absl::OkStatus();
}

bool IsEmail(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '@');
  return parts.size() == 2 && text.size() <= 254 && IsDomain(parts[1]) &&
         IsWord(parts[0], 64, [](unsigned char c) {
           return absl::ascii_isalnum(c) || absl::StrContains(".!#$%&'*+-/=?^_`{|}~", static_cast<char>(c));
         });
}

// ITU-T E.164.
bool IsPhone(absl::string_view text) {
  return absl::ConsumePrefix(&text, "+") && text.size() >= 7 &&
         IsWord(text, 15, [](unsigned char c) { return absl::ascii_isdigit(c); });
}

// Never tells an address or number, which may be a person's by mistake.
absl::Status CheckContacts(const v1::Participant& participant) {
  RETURN_IF_ERROR(CheckCount("contacts", participant.contacts_size(), kMaxContacts));
  std::set<std::tuple<std::string, std::string, std::string>> contacts;
  for (const v1::Contact& contact : participant.contacts()) {
    const std::string& function = contact.function();
    if (!IsLowerWord(function)) {
      return InvalidArgument({"FUNCTION_INVALID", "contacts.function", "",
                              "1 to 40 of [a-z0-9-] such as operations, security or legal"});
    }
    const std::string of = absl::StrCat(" of contact ", function);
    if (!contact.email().empty() && !IsEmail(contact.email())) {
      return InvalidArgument({"EMAIL_INVALID", absl::StrCat("contacts.email", of), "",
                              "an e-mail address of the function such as operations@maker.example"});
    }
    if (!contact.phone().empty() && !IsPhone(contact.phone())) {
      return InvalidArgument({"PHONE_INVALID", absl::StrCat("contacts.phone", of), "",
                              "`+` and 7 to 15 digits such as +81312345678"});
    }
    if (contact.email().empty() && contact.phone().empty()) {
      return InvalidArgument(
          {"CONTACT_EMPTY", absl::StrCat("contacts", of), "", "an email, a phone, or both"});
    }
    if (!contacts.emplace(function, contact.email(), contact.phone()).second) {
      return Repeated("contacts", function);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckParticipant(const v1::Participant& participant) {
  RETURN_IF_ERROR(CheckNames(participant));
  RETURN_IF_ERROR(CheckRoles(participant));
  RETURN_IF_ERROR(CheckContacts(participant));
  RETURN_IF_ERROR(CheckCount("identifiers", participant.identifiers_size(), kMaxIdentifiers));
  std::set<std::pair<std::string, std::string>> identifiers;
  for (const v1::PartyIdentifier& identifier : participant.identifiers()) {
    if (!IsLowerWord(identifier.scheme())) {
      return InvalidArgument({"SCHEME_INVALID", "identifiers.scheme", identifier.scheme(),
                              "1 to 40 of [a-z0-9-] such as houjin-bangou"});
    }
    RETURN_IF_ERROR(CheckIdentifier(identifier));
    const bool fresh = identifiers.emplace(identifier.scheme(), identifier.value()).second;
    if (!fresh) return Repeated("identifiers", identifier.value());
  }
  RETURN_IF_ERROR(CheckCount("namespaces", participant.namespaces_size(), kMaxNamespaces));
  std::set<std::pair<int, std::string>> namespaces;
  for (const v1::Namespace& space : participant.namespaces()) {
    RETURN_IF_ERROR(CheckNamespace(space));
    const std::string text =
        absl::StrCat(space.chassis_type(), space.vin_wmi(), space.serial_prefix(), space.link_domain());
    if (!namespaces.emplace(space.kind_case(), text).second) return Repeated("namespaces", text);
  }
  return absl::OkStatus();
}

absl::Status CheckAddress(absl::string_view address) {
  absl::Status wrong =
      InvalidArgument({"ADDRESS_INVALID", "address", address, "host:port such as node.example.jp:7443"});
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || address.size() > 255) return wrong;
  absl::string_view host = address.substr(0, colon);
  const absl::string_view port_text = address.substr(colon + 1);
  const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  const bool host_ok = IsWord(host, 253, [&](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '-' || (bracketed && c == ':');
  });
  int port = 0;
  const bool port_ok = IsWord(port_text, 5, [](unsigned char c) { return absl::ascii_isdigit(c); }) &&
                       absl::SimpleAtoi(port_text, &port) && port >= 1 && port <= 65535;
  return host_ok && port_ok ? absl::OkStatus() : wrong;
}

absl::Status CheckText(absl::string_view field, absl::string_view text, size_t max_bytes, bool required) {
  bool ok = text.size() <= max_bytes && !(required && text.empty());
  for (absl::string_view rest = text; ok && !rest.empty();) {
    const Utf8Char next = DecodeUtf8(rest);
    ok = next.length > 0 && !IsControl(next.code_point);
    rest.remove_prefix(next.length);
  }
  if (ok) return absl::OkStatus();
  return InvalidArgument({"TEXT_INVALID", field, text,
                          absl::StrCat(required ? "1" : "0", " to ", max_bytes,
                                       " bytes of UTF-8 on one line without control characters")});
}

std::vector<std::string> IdentifierClaims(const v1::Participant& participant) {
  std::vector<std::string> claims;
  for (const v1::PartyIdentifier& identifier : participant.identifiers()) {
    claims.push_back(absl::StrCat(identifier.scheme(), ":", identifier.value()));
  }
  return claims;
}

std::string NamespaceClaim(const v1::Namespace& space) {
  if (space.has_chassis_type()) return absl::StrCat("chassis-type:", space.chassis_type());
  if (space.has_vin_wmi()) return absl::StrCat("vin-wmi:", space.vin_wmi());
  if (space.has_link_domain()) return absl::StrCat("link-domain:", space.link_domain());
  return "";
}

std::vector<std::string> NamespaceClaims(const v1::Participant& participant) {
  std::vector<std::string> claims;
  for (const v1::Namespace& space : participant.namespaces()) {
    std::string claim = NamespaceClaim(space);
    if (!claim.empty()) claims.push_back(std::move(claim));
  }
  return claims;
}

}  // namespace tsunagi::identity
