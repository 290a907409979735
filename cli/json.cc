// Messages as JSON for people and scripts: see ToJson in output.h.
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/base/bytes.h"
#include "passport/model/values.h"

namespace tsunagi::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// `PART_KIND_` of PartKind.
std::string PrefixOf(const google::protobuf::EnumDescriptor& descriptor) {
  std::string prefix;
  for (const char c : descriptor.name()) {
    const auto letter = static_cast<unsigned char>(c);
    if (absl::ascii_isupper(letter) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(letter);
  }
  return prefix + "_";
}

Json MessageValue(const Message& message) {
  const std::string& type = message.GetDescriptor()->full_name();
  if (type == "tsunagi.common.v1.Decimal")
    return FormatDecimal(dynamic_cast<const common::v1::Decimal&>(message));
  if (type == "tsunagi.common.v1.YearMonth") {
    return passport::PrintYearMonth(dynamic_cast<const common::v1::YearMonth&>(message));
  }
  if (type == "tsunagi.common.v1.CivilDate")
    return passport::PrintCivilDate(dynamic_cast<const common::v1::CivilDate&>(message));
  if (type == "google.protobuf.Timestamp") {
    return FormatInstant(dynamic_cast<const google::protobuf::Timestamp&>(message));
  }
  return ToJson(message);
}

std::string BytesOrText(const FieldDescriptor& field, const std::string& value) {
  return field.type() == FieldDescriptor::TYPE_BYTES ? ToHex(value) : value;
}

Json ValueOf(const Message& message, const FieldDescriptor& field) {
  const Reflection& r = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return r.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return r.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return r.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return r.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return r.GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return r.GetFloat(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return r.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return WordOf(*field.enum_type(), r.GetEnumValue(message, &field));
    case FieldDescriptor::CPPTYPE_STRING:
      return BytesOrText(field, r.GetString(message, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageValue(r.GetMessage(message, &field));
  }
  return nullptr;
}

Json ElementOf(const Message& message, const FieldDescriptor& field, int i) {
  const Reflection& r = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return r.GetRepeatedInt32(message, &field, i);
    case FieldDescriptor::CPPTYPE_INT64:
      return r.GetRepeatedInt64(message, &field, i);
    case FieldDescriptor::CPPTYPE_UINT32:
      return r.GetRepeatedUInt32(message, &field, i);
    case FieldDescriptor::CPPTYPE_UINT64:
      return r.GetRepeatedUInt64(message, &field, i);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return r.GetRepeatedDouble(message, &field, i);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return r.GetRepeatedFloat(message, &field, i);
    case FieldDescriptor::CPPTYPE_BOOL:
      return r.GetRepeatedBool(message, &field, i);
    case FieldDescriptor::CPPTYPE_ENUM:
      return WordOf(*field.enum_type(), r.GetRepeatedEnumValue(message, &field, i));
    case FieldDescriptor::CPPTYPE_STRING:
      return BytesOrText(field, r.GetRepeatedString(message, &field, i));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageValue(r.GetRepeatedMessage(message, &field, i));
  }
  return nullptr;
}

Json ListOf(const Message& message, const FieldDescriptor& field) {
  Json list = Json::array();
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    list.push_back(ElementOf(message, field, i));
  }
  return list;
}

}  // namespace

std::string WordOf(const google::protobuf::EnumDescriptor& descriptor, int value) {
  const auto* known = descriptor.FindValueByNumber(value);
  if (known == nullptr) return absl::StrCat(value);
  absl::string_view name = known->name();
  absl::ConsumePrefix(&name, PrefixOf(descriptor));
  return absl::AsciiStrToLower(name);
}

Json ToJson(const Message& message) {
  Json json = Json::object();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.is_repeated()) {
      json[field.name()] = ListOf(message, field);
    } else if (!field.has_presence() || message.GetReflection()->HasField(message, &field)) {
      json[field.name()] = ValueOf(message, field);
    }
  }
  return json;
}

}  // namespace tsunagi::cli
