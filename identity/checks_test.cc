#include "identity/checks.h"

#include <functional>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

v1::Participant WellFormed() {
  v1::Participant participant;
  participant.set_label("maker");
  participant.set_name_latin("Maker Inc.");
  participant.set_name_ja("株式会社メーカー");
  participant.set_name_kana("メーカー");
  participant.add_roles("cell-maker");
  participant.add_plants("尼崎工場");
  auto& contact = *participant.add_contacts();
  contact.set_function("operations");
  contact.set_email("ops+batteries@maker.example");
  contact.set_phone("+81664000000");
  auto& number = *participant.add_identifiers();
  number.set_scheme("houjin-bangou");
  number.set_value("7000012050002");
  participant.add_namespaces()->set_chassis_type("ZE1");
  participant.add_namespaces()->set_vin_wmi("JN1");
  participant.add_namespaces()->set_vin_wmi("1A9123");
  participant.add_namespaces()->set_serial_prefix("");
  participant.add_namespaces()->set_link_domain("id.maker.example");
  return participant;
}

TEST(ChecksTest, AcceptsAWellFormedParticipant) { EXPECT_THAT(CheckParticipant(WellFormed()), IsOk()); }

struct Mistake {
  const char* name;
  const char* field;
  std::function<void(v1::Participant&)> make;
};
class MistakeTest : public ::testing::TestWithParam<Mistake> {};

TEST_P(MistakeTest, IsRefusedByItsField) {
  v1::Participant participant = WellFormed();
  GetParam().make(participant);

  EXPECT_THAT(CheckParticipant(participant), StatusIs(kInvalidArgument, HasSubstr(GetParam().field)));
}

INSTANTIATE_TEST_SUITE_P(
    Participants, MistakeTest,
    ::testing::Values(
        Mistake{"ContactOfNoFunction", "contacts.function", [](auto& p) { p.mutable_contacts(0)->set_function(""); }},
        Mistake{"ContactWithoutAddress", "contacts of contact legal",
                [](auto& p) { p.add_contacts()->set_function("legal"); }},
        Mistake{"EmailWithoutDomain", "contacts.email", [](auto& p) { p.mutable_contacts(0)->set_email("ops"); }},
        Mistake{"EmailWithADisplayName", "contacts.email",
                [](auto& p) { p.mutable_contacts(0)->set_email("Ops <ops@maker.example>"); }},
        Mistake{"EmailWithTwoAts", "contacts.email",
                [](auto& p) { p.mutable_contacts(0)->set_email("a@b@maker.example"); }},
        Mistake{"PhoneWithoutCountry", "contacts.phone",
                [](auto& p) { p.mutable_contacts(0)->set_phone("0664000000"); }},
        Mistake{"PhoneTooLong", "contacts.phone",
                [](auto& p) { p.mutable_contacts(0)->set_phone("+8166400000012345"); }},
        Mistake{"ContactTwice", "contacts", [](auto& p) { *p.add_contacts() = p.contacts(0); }},
        Mistake{"TooManyContacts", "at most 20",
                [](auto& p) {
                  for (int i = 0; i < 20; ++i) {
                    *p.add_contacts() = p.contacts(0);
                    p.mutable_contacts(i + 1)->set_function(absl::StrCat("f", i));
                  }
                }},
        Mistake{"NoLatinName", "name_latin", [](auto& p) { p.clear_name_latin(); }},
        Mistake{"LineBreakInAName", "name_latin", [](auto& p) { p.set_name_latin("a\nb"); }},
        Mistake{"DirectionMarkInAName", "name_ja", [](auto& p) { p.set_name_ja("a\u202e"); }},
        Mistake{"NameThatIsNoUtf8", "name_kana", [](auto& p) { p.set_name_kana("\xff"); }},
        Mistake{"NameTooLong", "name_latin", [](auto& p) { p.set_name_latin(std::string(201, 'a')); }},
        Mistake{"PlantTwice", "plants", [](auto& p) { p.add_plants("尼崎工場"); }},
        Mistake{"WrongCheckDigit", "8000012050002",
                [](auto& p) { p.mutable_identifiers(0)->set_value("8000012050002"); }},
        Mistake{"IdentifierTwice", "identifiers", [](auto& p) { *p.add_identifiers() = p.identifiers(0); }},
        Mistake{"UpperCaseScheme", "identifiers.scheme",
                [](auto& p) { p.mutable_identifiers(0)->set_scheme("LEI"); }},
        Mistake{"EmptyIdentifier", "identifiers.value",
                [](auto& p) { p.add_identifiers()->set_scheme("lei"); }},
        Mistake{"RegistrarsRole", "roles", [](auto& p) { p.add_roles("registrar"); }},
        Mistake{"RoleTwice", "roles", [](auto& p) { p.add_roles("cell-maker"); }},
        Mistake{"RoleWithSpace", "roles", [](auto& p) { p.add_roles("cell maker"); }},
        Mistake{"EmptyNamespace", "namespaces", [](auto& p) { p.add_namespaces(); }},
        Mistake{"NamespaceTwice", "namespaces", [](auto& p) { p.add_namespaces()->set_chassis_type("ZE1"); }},
        Mistake{"LowerCaseChassis", "chassis_type",
                [](auto& p) { p.add_namespaces()->set_chassis_type("ze1"); }},
        Mistake{"ChassisWithHyphen", "chassis_type",
                [](auto& p) { p.add_namespaces()->set_chassis_type("ZE1-"); }},
        Mistake{"WholeWmiOfSmallMakers", "vin_wmi", [](auto& p) { p.add_namespaces()->set_vin_wmi("1A9"); }},
        Mistake{"SixCharactersOfALargeMaker", "vin_wmi",
                [](auto& p) { p.add_namespaces()->set_vin_wmi("JN1123"); }},
        Mistake{"WmiWithO", "vin_wmi", [](auto& p) { p.add_namespaces()->set_vin_wmi("JO1"); }},
        Mistake{"DomainWithPath", "link_domain",
                [](auto& p) { p.add_namespaces()->set_link_domain("a.example/x"); }},
        Mistake{"TooManyRoles", "roles",
                [](auto& p) {
                  for (int i = 0; i < 32; ++i) p.add_roles("r" + std::to_string(i));
                }}),
    [](const auto& test) { return test.param.name; });

TEST(ChecksTest, AddressesAreHostAndPort) {
  for (const char* right : {"node.example.jp:7443", "127.0.0.1:1", "[::1]:65535", "localhost:80"}) {
    EXPECT_THAT(CheckAddress(right), IsOk()) << right;
  }
  for (const char* wrong : {"", "host", "host:", ":80", "host:0", "host:65536", "host:+80", "host:8 0",
                            "a b:80", "http://host:80", "host:80/x", "::1:80", "host\n:80"}) {
    EXPECT_THAT(CheckAddress(wrong), StatusIs(kInvalidArgument)) << wrong;
  }
}

TEST(ChecksTest, SerialPrefixesAreNobodysClaim) {
  EXPECT_THAT(NamespaceClaims(WellFormed()), ElementsAre("chassis-type:ZE1", "vin-wmi:JN1", "vin-wmi:1A9123",
                                                         "link-domain:id.maker.example"));
}

}  // namespace
}  // namespace tsunagi::identity
