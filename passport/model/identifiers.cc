#include "passport/model/identifiers.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "passport/model/text.h"

namespace tsunagi::passport {
namespace {

using CodePoints = std::vector<int32_t>;

constexpr size_t kSerialBytes = 64;
constexpr size_t kVehicleBytes = 64;
constexpr size_t kVinSize = 17;

absl::Status BadVehicle(absl::string_view reason, absl::string_view expected) {
  return InvalidArgument({reason, "vehicle", "(not shown)", expected});
}

bool InVinAlphabet(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
         (c >= 'A' && c <= 'Z' && c != 'I' && c != 'O' && c != 'Q');
}

bool IsVinText(absl::string_view text) {
  return text.size() == kVinSize && std::all_of(text.begin(), text.end(), InVinAlphabet);
}

// 49 CFR 565.15 table III.
int LetterValue(char c) {
  static constexpr absl::string_view kLetters = "ABCDEFGHJKLMNPRSTUVWXYZ";
  static constexpr int kValues[] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9};
  return c >= '0' && c <= '9' ? c - '0' : kValues[kLetters.find(c)];
}

// Everything that people type for the hyphen of a 車台番号: U+002D and the dashes, minus signs, prolonged
// sound mark and rules that look like it. NFKC has folded U+FF0D, U+FF70, U+FE63 and U+2011 already.
bool IsHyphen(int32_t c) {
  return c == '-' || (c >= 0x2010 && c <= 0x2015) || c == 0x2043 || c == 0x2212 || c == 0x02D7 ||
         c == 0x30FC || c == 0x2500 || c == 0x2501;
}

// Blanks and marks without width, also the byte order mark that spreadsheets leave.
bool IsBlank(int32_t c) {
  return c == ' ' || c == '\t' || c == 0x00AD || (c >= 0x2000 && c <= 0x200D) || c == 0x2028 || c == 0x205F ||
         c == 0x2060 || c == 0x3000 || c == 0xFEFF;
}

bool IsHiragana(int32_t c) { return c >= 0x3041 && c <= 0x3096; }

bool IsKanjiOrKana(int32_t c) {
  return c == 0x3005 || c == 0x3006 || c == 0x3007 || IsHiragana(c) || (c >= 0x30A1 && c <= 0x30FA) ||
         (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xFA0E && c <= 0xFA29) ||
         (c >= 0x20000 && c <= 0x323AF);
}

// Signs that stand on stamped numbers or for an unreadable character.
bool IsStampSign(int32_t c) {
  return c == 0x25CB || c == 0x25CF || c == 0x25EF || c == 0x2605 || c == 0x2606 || c == 0x203B ||
         c == 0x30FB;
}

bool IsAsciiGraph(int32_t c) { return c > 0x20 && c < 0x7F; }
bool IsDigit(int32_t c) { return c >= '0' && c <= '9'; }
bool IsUpper(int32_t c) { return c >= 'A' && c <= 'Z'; }

absl::StatusOr<CodePoints> Fold(const CodePoints& given) {
  CodePoints folded;
  for (int32_t c : given) {
    if (IsBlank(c)) continue;
    if (IsHyphen(c)) c = '-';
    if (c >= 'a' && c <= 'z') c -= 'a' - 'A';
    if (!IsAsciiGraph(c) && !IsKanjiOrKana(c) && !IsStampSign(c)) {
      return BadVehicle("CHARACTER_NOT_ALLOWED", "letters A-Z, digits, hyphens, kanji or kana");
    }
    folded.push_back(c);
  }
  return folded;
}

// 車両番号, e.g. `品川300あ12-34`: place, class number, kana, one to four digits.
bool IsNumberPlate(const CodePoints& text) {
  size_t i = 0;
  while (i < text.size() && IsKanjiOrKana(text[i])) ++i;
  if (i == 0 || i > 4) return false;
  const size_t class_start = i;
  while (i < text.size() && i < class_start + 3 && (IsDigit(text[i]) || IsUpper(text[i]))) ++i;
  if (i == class_start || !IsDigit(text[class_start]) || i == text.size()) return false;
  if (!IsHiragana(text[i])) return false;
  size_t digits = 0;
  for (++i; i < text.size(); ++i) {
    if (IsDigit(text[i])) {
      ++digits;
    } else if (text[i] != '-' && text[i] != 0x30FB && text[i] != '.') {
      return false;
    }
  }
  return digits >= 1 && digits <= 4;
}

// `ZAA`, `6AA`, `GF`, `E`: the mark of the emission rules before a type designation.
bool IsEmissionMark(absl::string_view text) {
  if (text.empty() || text.size() > 3) return false;
  if (!std::all_of(text.begin() + 1, text.end(), absl::ascii_isupper)) return false;
  return absl::ascii_isupper(static_cast<unsigned char>(text[0])) ||
         (text.size() == 3 && absl::ascii_isdigit(static_cast<unsigned char>(text[0])));
}

// Cuts the type-designation prefix off `ZAA-ZE1-000123`; it never belongs to the stamped number.
absl::string_view WithoutTypePrefix(absl::string_view text) {
  const size_t first = text.find('-');
  if (first == absl::string_view::npos || !IsEmissionMark(text.substr(0, first))) return text;
  const absl::string_view rest = text.substr(first + 1);
  const size_t second = rest.find('-');
  if (second == absl::string_view::npos || second == 0) return text;
  const absl::string_view number = rest.substr(second + 1);
  const bool plausible =
      number.size() >= 4 && number.size() <= 8 &&
      std::all_of(number.begin(), number.end(), absl::ascii_isdigit) &&
      std::all_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(second), absl::ascii_isalnum);
  return plausible ? rest : text;
}

bool IsSerial(absl::string_view text) {
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '/' || c == '-';
  };
  return !text.empty() && text.size() <= kSerialBytes && std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace

absl::StatusOr<Vin> Vin::Parse(absl::string_view text) {
  if (!IsVinText(text)) {
    return InvalidArgument(
        {"VIN_MALFORMED", "vin", "(not shown)", "17 characters of A-Z and 0-9 without I, O and Q"});
  }
  return Vin(std::string(text));
}

std::string Vin::wmi() const {
  return text_[2] == '9' ? text_.substr(0, 3) + text_.substr(11, 3) : text_.substr(0, 3);
}

char Vin::ComputedCheckDigit() const {
  static constexpr int kWeights[kVinSize] = {8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};
  int sum = 0;
  for (size_t i = 0; i < kVinSize; ++i) sum += kWeights[i] * LetterValue(text_[i]);
  const int rest = sum % 11;
  return rest == 10 ? 'X' : static_cast<char>('0' + rest);
}

absl::StatusOr<VehicleIdentifier> VehicleIdentifier::Parse(absl::string_view text) {
  if (text.empty() || text.size() > kVehicleBytes) {
    return BadVehicle("LENGTH_WRONG", "a VIN or 車台番号 of 1 to 64 bytes");
  }
  absl::StatusOr<CodePoints> given = NormalizeKc(text);
  if (!given.ok()) return BadVehicle("ENCODING_WRONG", "UTF-8 text");
  ASSIGN_OR_RETURN(const CodePoints folded, Fold(*given));
  if (folded.empty()) return BadVehicle("LENGTH_WRONG", "a VIN or 車台番号, not only blanks");
  if (IsNumberPlate(folded)) {
    return BadVehicle("NUMBER_PLATE", "a VIN or 車台番号, not the number plate (車両番号)");
  }
  const std::string whole = ToUtf8(folded);
  const absl::string_view normal = WithoutTypePrefix(whole);
  return VehicleIdentifier(std::string(normal), IsVinText(normal));
}

std::string VehicleIdentifier::type_code() const {
  const size_t hyphen = normal_.rfind('-');
  return is_vin_ || hyphen == std::string::npos ? "" : normal_.substr(0, hyphen);
}

std::string VehicleIdentifier::wmi() const {
  const absl::StatusOr<Vin> vin = Vin::Parse(normal_);
  return vin.ok() ? vin->wmi() : "";
}

bool VehicleIdentifier::check_digit_fits() const {
  const absl::StatusOr<Vin> vin = Vin::Parse(normal_);
  return !vin.ok() || vin->check_digit_fits();
}

absl::StatusOr<BatterySerial> BatterySerial::Parse(absl::string_view text, absl::string_view field) {
  if (IsSerial(text)) return BatterySerial(std::string(text));
  return InvalidArgument({"SERIAL_MALFORMED", field, text, "1 to 64 characters of A-Z a-z 0-9 . _ / -"});
}

absl::Status CheckBatteryId(const common::v1::BatteryId& id, absl::string_view field) {
  if (!Did::Parse(id.manufacturer()).ok()) {
    return InvalidArgument(
        {"DID_MALFORMED", absl::StrCat(field, ".manufacturer"), id.manufacturer(),
         "the manufacturer's DID such as did:web:registrar.example:participants:cell-maker"});
  }
  if (IsSerial(id.serial())) return absl::OkStatus();
  return BatterySerial::Parse(id.serial(), absl::StrCat(field, ".serial")).status();
}

absl::string_view LevelName(common::v1::BatteryLevel level) {
  switch (level) {
    case common::v1::BATTERY_LEVEL_PACK:
      return "pack";
    case common::v1::BATTERY_LEVEL_MODULE:
      return "module";
    case common::v1::BATTERY_LEVEL_CELL:
      return "cell";
    case common::v1::BATTERY_LEVEL_LOT:
      return "lot";
    default:
      return "";
  }
}

absl::StatusOr<common::v1::BatteryLevel> ParseLevel(absl::string_view word) {
  for (const common::v1::BatteryLevel level :
       {common::v1::BATTERY_LEVEL_PACK, common::v1::BATTERY_LEVEL_MODULE, common::v1::BATTERY_LEVEL_CELL,
        common::v1::BATTERY_LEVEL_LOT}) {
    if (word == LevelName(level)) return level;
  }
  return InvalidArgument({"LEVEL_UNKNOWN", "level", word, "pack, module, cell or lot"});
}

}  // namespace tsunagi::passport
