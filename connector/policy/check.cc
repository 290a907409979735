#include "connector/policy/check.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "connector/policy/sections.h"
#include "core/base/did.h"
#include "core/base/proto.h"

namespace tsunagi::policy {
namespace {

using connector::v1::PolicySet;
using connector::v1::Rule;

constexpr int kMaxParties = 1'000;
constexpr int kMaxWords = 64;
constexpr size_t kMaxSerial = 64;
constexpr uint32_t kMaxDailyLookups = 1'000'000;

bool IsRuleId(absl::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
  });
}

bool IsSerialText(absl::string_view text) {
  return text.size() <= kMaxSerial && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(c) || absl::StrContains("._/-", absl::string_view(&c, 1));
         });
}

// Collects the mistakes of one rule.
class RuleCheck {
 public:
  RuleCheck(const Rule& rule, int index, std::vector<std::string>& mistakes)
      : rule_(rule),
        name_(IsRuleId(rule.id()) ? rule.id() : absl::StrCat("#", index + 1)),
        mistakes_(mistakes) {}

  void Run() {
    if (!IsRuleId(rule_.id())) Wrong("id", rule_.id(), "1 to 64 characters of [a-z0-9-]");
    if (rule_.action() != connector::v1::RULE_ACTION_PERMIT &&
        rule_.action() != connector::v1::RULE_ACTION_PROHIBIT) {
      Wrong("action", absl::StrCat(static_cast<int>(rule_.action())), "permit or prohibit");
    }
    CheckWho();
    CheckWords("purposes", rule_.purposes());
    CheckWords("obligations", rule_.obligations());
    CheckSections();
    CheckFields();
    if (!IsSerialText(rule_.serial_prefix())) {
      Wrong("serial_prefix", rule_.serial_prefix(), "at most 64 characters of [A-Za-z0-9._/-]");
    }
    CheckWindow();
    CheckLookups();
    if (HasUnknownFields(rule_)) Wrong("rule", name_, "no operand that this version does not know");
  }

 private:
  void Wrong(absl::string_view field, absl::string_view value, absl::string_view expected) {
    mistakes_.push_back(absl::StrFormat("rule `%s`: `%s` is `%s`: expected %s", name_, field,
                                        value.substr(0, 128), expected));
  }

  void CheckWho() {
    if (rule_.parties().empty() && rule_.roles().empty()) {
      Wrong("parties", "", "a party by DID or a role: a rule for everyone is not possible");
    }
    if (rule_.parties_size() > kMaxParties) {
      Wrong("parties", absl::StrCat(rule_.parties_size(), " entries"), "at most 1,000");
    }
    for (const std::string& party : rule_.parties()) {
      if (!Did::Parse(party).ok())
        Wrong("parties", party, "a DID such as `did:web:registrar.example:participants:oem`");
    }
    CheckWords("roles", rule_.roles());
  }

  void CheckWords(absl::string_view field, const google::protobuf::RepeatedPtrField<std::string>& words) {
    if (words.size() > kMaxWords) Wrong(field, absl::StrCat(words.size(), " entries"), "at most 64");
    for (const std::string& word : words) {
      if (!IsWord(word)) Wrong(field, word, "1 to 64 characters of [a-z0-9._:-]");
    }
  }

  void CheckSections() {
    if (rule_.sections().empty()) Wrong("sections", "", "at least one section");
    for (const int section : rule_.sections()) {
      if (!IsSection(section)) Wrong("sections", absl::StrCat(section), "a section such as `condition`");
    }
  }

  void CheckFields() {
    for (const std::string& name : rule_.fields()) {
      const Field* field = FindField(name);
      if (field == nullptr) {
        Wrong("fields", name, "`condition.latest` or `condition.series`");
      } else if (std::count(rule_.sections().begin(), rule_.sections().end(), field->section) == 0) {
        Wrong("fields", name,
              absl::StrCat("its section `", SectionWord(field->section), "` among `sections`"));
      }
    }
  }

  void CheckWindow() {
    const absl::StatusOr<absl::Time> from = FromProto(rule_.not_before());
    const absl::StatusOr<absl::Time> until = FromProto(rule_.not_after());
    if (!from.ok()) Wrong("not_before", from.status().message(), "an instant");
    if (!until.ok()) Wrong("not_after", until.status().message(), "an instant");
    if (from.ok() && until.ok() && rule_.has_not_before() && rule_.has_not_after() && *from >= *until) {
      Wrong("not_after", absl::FormatTime(*until, absl::UTCTimeZone()), "later than `not_before`");
    }
  }

  void CheckLookups() {
    if (rule_.daily_lookups() == 0) return;
    const bool permits_lookup =
        rule_.action() == connector::v1::RULE_ACTION_PERMIT &&
        std::count(rule_.sections().begin(), rule_.sections().end(), common::v1::SECTION_LOOKUP) > 0;
    if (!permits_lookup) {
      Wrong("daily_lookups", absl::StrCat(rule_.daily_lookups()), "only in a rule that permits `lookup`");
    } else if (rule_.daily_lookups() > kMaxDailyLookups) {
      Wrong("daily_lookups", absl::StrCat(rule_.daily_lookups()), "at most 1,000,000");
    }
  }

  const Rule& rule_;
  const std::string name_;
  std::vector<std::string>& mistakes_;
};

}  // namespace

bool IsWord(absl::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '.' || c == '_' || c == ':' || c == '-';
  });
}

std::vector<std::string> MistakesIn(const PolicySet& set) {
  std::vector<std::string> mistakes;
  if (set.rules_size() > kMaxRules) {
    mistakes.push_back(
        absl::StrFormat("`rules` has %d entries: expected at most %d", set.rules_size(), kMaxRules));
    return mistakes;
  }
  absl::flat_hash_set<absl::string_view> ids;
  for (int i = 0; i < set.rules_size(); ++i) {
    RuleCheck(set.rules(i), i, mistakes).Run();
    if (!ids.insert(set.rules(i).id()).second) {
      mistakes.push_back(
          absl::StrFormat("rule `%s`: `id` stands twice: expected an id of its own", set.rules(i).id()));
    }
  }
  if (mistakes.empty() && HasUnknownFields(set))
    mistakes.push_back("the set has fields that this version does not know");
  return mistakes;
}

}  // namespace tsunagi::policy
