#include "core/base/config.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/config_value.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/base/yaml_tree.h"
#include "google/protobuf/descriptor.h"

namespace tsunagi {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;

constexpr size_t kMaxShownBytes = 128;

// Copies a tree into a message and collects what does not fit.
class Filler {
 public:
  explicit Filler(ConfigMistakes& mistakes) : mistakes_(mistakes) {}

  void FillMessage(const YamlNode& node, const std::string& path, Message& message);

 private:
  void FillEntry(const YamlNode& key, const YamlNode& value, const std::string& path, Message& message);
  void FillField(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                 Message& message);
  void FillValue(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                 Message& message);
  void FillSubmessage(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                      Message& message);
  void FillString(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                  Message& message);
  void FillEnum(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                Message& message);
  void FillBool(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                Message& message);
  template <typename Int, typename Set, typename Add>
  void FillInteger(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                   Message& message, Set set, Add add);

  void Mistake(int line, absl::string_view what) { mistakes_.Add(line, what); }
  // "`path` is `value`: expected …".
  void Expected(const YamlNode& node, const std::string& path, absl::string_view expected);

  ConfigMistakes& mistakes_;
};

void Filler::Expected(const YamlNode& node, const std::string& path, absl::string_view expected) {
  const auto is = [&]() -> std::string {
    switch (node.kind) {
      case YamlNode::Kind::kNull:
        return "empty";
      case YamlNode::Kind::kScalar:
        return absl::StrCat("`", Printable(node.text, kMaxShownBytes), node.quoted ? "` (quoted)" : "`");
      case YamlNode::Kind::kSequence:
        return "a list";
      case YamlNode::Kind::kMap:
        return "a map";
    }
    return "";
  };
  const std::string what = path.empty() ? "the file" : absl::StrCat("`", path, "`");
  mistakes_.AddAt(path, node.line, absl::StrCat(what, " is ", is(), ": expected ", expected));
}

void Filler::FillMessage(const YamlNode& node, const std::string& path, Message& message) {
  if (node.kind != YamlNode::Kind::kMap) {
    Expected(node, path, "a map of keys and values");
    return;
  }
  std::vector<absl::string_view> seen;
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const YamlNode& key = node.keys[i];
    if (key.kind == YamlNode::Kind::kScalar) {
      if (std::find(seen.begin(), seen.end(), key.text) != seen.end()) {
        Mistake(key.line,
                absl::StrCat("`", Printable(key.text, kMaxShownBytes), "` is given twice: remove one"));
        continue;
      }
      if (message.GetDescriptor()->FindFieldByName(key.text) != nullptr) seen.push_back(key.text);
    }
    FillEntry(key, node.items[i], path, message);
  }
}

void Filler::FillEntry(const YamlNode& key, const YamlNode& value, const std::string& path,
                       Message& message) {
  if (key.kind != YamlNode::Kind::kScalar) {
    Mistake(key.line, "a key that is no text: expected the name of a field");
    return;
  }
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(key.text);
  if (field == nullptr) {
    Mistake(key.line, absl::StrCat("`", Printable(key.text, kMaxShownBytes), "` is not a known key: ",
                                   Suggestion(key.text, FieldNames(*message.GetDescriptor()))));
    return;
  }
  const google::protobuf::OneofDescriptor* oneof = field->real_containing_oneof();
  if (oneof != nullptr && message.GetReflection()->HasOneof(message, oneof)) {
    const std::string other = message.GetReflection()->GetOneofFieldDescriptor(message, oneof)->name();
    Mistake(key.line, absl::StrCat("`", field->name(), "` beside `", other, "`: expected only one of them"));
    return;
  }
  const std::string inner = path.empty() ? field->name() : absl::StrCat(path, ".", field->name());
  mistakes_.SeeField(inner, key.line);
  FillField(value, *field, inner, message);
}

void Filler::FillField(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                       Message& message) {
  if (!field.is_repeated() || field.is_map()) {
    FillValue(node, field, path, message);
    return;
  }
  if (node.kind != YamlNode::Kind::kSequence) {
    Expected(node, path, "a list");
    return;
  }
  for (size_t i = 0; i < node.items.size(); ++i) {
    const std::string element = absl::StrCat(path, "[", i, "]");
    mistakes_.SeeField(element, node.items[i].line);
    FillValue(node.items[i], field, element, message);
  }
}

void Filler::FillValue(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                       Message& message) {
  using Reflection = google::protobuf::Reflection;
  switch (field.is_map() ? FieldDescriptor::CPPTYPE_DOUBLE : field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return FillSubmessage(node, field, path, message);
    case FieldDescriptor::CPPTYPE_STRING:
      return FillString(node, field, path, message);
    case FieldDescriptor::CPPTYPE_ENUM:
      return FillEnum(node, field, path, message);
    case FieldDescriptor::CPPTYPE_BOOL:
      return FillBool(node, field, path, message);
    case FieldDescriptor::CPPTYPE_INT32:
      return FillInteger<int32_t>(node, field, path, message, &Reflection::SetInt32, &Reflection::AddInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return FillInteger<int64_t>(node, field, path, message, &Reflection::SetInt64, &Reflection::AddInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return FillInteger<uint32_t>(node, field, path, message, &Reflection::SetUInt32,
                                   &Reflection::AddUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return FillInteger<uint64_t>(node, field, path, message, &Reflection::SetUInt64,
                                   &Reflection::AddUInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      Mistake(node.line, absl::StrCat("`", path, "` cannot be given in YAML"));
  }
}

void Filler::FillSubmessage(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                            Message& message) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  Message& child = field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                       : *reflection.MutableMessage(&message, &field);
  if (field.message_type() != Timestamp::descriptor()) {
    FillMessage(node, path, child);
    return;
  }
  const std::optional<Timestamp> timestamp =
      node.kind == YamlNode::Kind::kScalar ? ParseTimestamp(node.text) : std::nullopt;
  if (timestamp.has_value()) {
    child.CopyFrom(*timestamp);
  } else {
    Expected(node, path,
             "a day such as `2027-04-01` (JST) or an instant such as `2027-04-01T00:00:00+09:00`");
  }
}

void Filler::FillString(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                        Message& message) {
  if (field.type() == FieldDescriptor::TYPE_BYTES) {
    Mistake(node.line, absl::StrCat("`", path, "` cannot be given in YAML"));
    return;
  }
  if (node.kind != YamlNode::Kind::kScalar) {
    Expected(node, path, "text");
    return;
  }
  for (absl::string_view rest = node.text; !rest.empty();) {
    const Utf8Char c = DecodeUtf8(rest);
    const bool layout = c.code_point == '\n' || c.code_point == '\t';
    if (c.length == 0 || (IsControl(c.code_point) && !layout)) {
      Expected(node, path, "text without invisible characters");
      return;
    }
    rest.remove_prefix(c.length);
  }
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) {
    reflection.AddString(&message, &field, node.text);
  } else {
    reflection.SetString(&message, &field, node.text);
  }
}

void Filler::FillEnum(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                      Message& message) {
  const std::vector<std::string> known = EnumNames(*field.enum_type());
  if (node.kind != YamlNode::Kind::kScalar) {
    Expected(node, path, absl::StrCat("one of `", absl::StrJoin(known, "`, `"), "`"));
    return;
  }
  const EnumValueDescriptor* value = FindEnumValue(*field.enum_type(), node.text);
  if (value == nullptr) {
    mistakes_.AddAt(path, node.line,
                    absl::StrCat("`", path, "` is `", Printable(node.text, kMaxShownBytes),
                                 "`: ", Suggestion(node.text, known)));
    return;
  }
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) {
    reflection.AddEnum(&message, &field, value);
  } else {
    reflection.SetEnum(&message, &field, value);
  }
}

void Filler::FillBool(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                      Message& message) {
  if (node.kind != YamlNode::Kind::kScalar || node.quoted || (node.text != "true" && node.text != "false")) {
    Expected(node, path, "`true` or `false`");
    return;
  }
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) {
    reflection.AddBool(&message, &field, node.text == "true");
  } else {
    reflection.SetBool(&message, &field, node.text == "true");
  }
}

template <typename Int, typename Set, typename Add>
void Filler::FillInteger(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                         Message& message, Set set, Add add) {
  const bool plain = node.kind == YamlNode::Kind::kScalar && !node.quoted;
  const std::optional<Int> value = plain ? ParseInteger<Int>(node.text) : std::nullopt;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (!value.has_value()) {
    Expected(node, path,
             absl::StrCat("a whole number from ", std::numeric_limits<Int>::min(), " to ",
                          std::numeric_limits<Int>::max()));
  } else if (field.is_repeated()) {
    (reflection.*add)(&message, &field, *value);
  } else {
    (reflection.*set)(&message, &field, *value);
  }
}

}  // namespace

absl::Status ParseYaml(absl::string_view yaml, absl::string_view name, Message& message) {
  return ParseYaml(yaml, name, message, [](const Message&) { return std::vector<FieldMistake>(); });
}

absl::Status ParseYaml(absl::string_view yaml, absl::string_view name, Message& message, FieldCheck check) {
  ASSIGN_OR_RETURN(const YamlNode root, ParseYamlTree(yaml, name));
  const std::unique_ptr<Message> filled(message.New());
  ConfigMistakes mistakes(name);
  if (root.kind != YamlNode::Kind::kNull) Filler(mistakes).FillMessage(root, "", *filled);
  for (const FieldMistake& mistake : check(*filled)) mistakes.Add(mistake);
  RETURN_IF_ERROR(mistakes.Result());
  message.MergeFrom(*filled);
  return absl::OkStatus();
}

absl::Status LoadYamlFile(const std::string& path, Message& message) {
  ASSIGN_OR_RETURN(const std::string yaml, ReadFile(path, kMaxYamlBytes));
  return ParseYaml(yaml, path, message);
}

absl::Status LoadYamlFile(const std::string& path, Message& message, FieldCheck check) {
  ASSIGN_OR_RETURN(const std::string yaml, ReadFile(path, kMaxYamlBytes));
  return ParseYaml(yaml, path, message, check);
}

}  // namespace tsunagi
