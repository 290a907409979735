// Configuration: a protobuf message written as YAML.
#pragma once

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/config_mistakes.h"
#include "google/protobuf/message.h"

namespace tsunagi {

// Fills `message` from YAML: maps are messages, sequences repeated fields, keys field names as in the proto.
// Reports every mistake at once, a line each: "node.yaml:12: `listen` …: expected …" (unknown key with the
// nearest known one, wrong type, duplicate key, bad number, bad enum value, invalid YAML). Enum values may be
// written without their prefix and in lower case (`condition` for SECTION_CONDITION);
// google.protobuf.Timestamp as RFC 3339 or as a day `2027-04-01`, which is that day's start in Japan (JST).
// Bytes, floating-point and map fields cannot be given. At most 1 MiB and 32 levels; anchors, aliases, tags,
// a second document and invisible characters are refused. Empty YAML changes nothing; after an error
// `message` is as it was. `name` stands for the file in messages.
absl::Status ParseYaml(absl::string_view yaml, absl::string_view name, google::protobuf::Message& message);

// What is wrong with a message beyond its syntax.
using FieldCheck = absl::FunctionRef<std::vector<FieldMistake>(const google::protobuf::Message&)>;

// The same, with the mistakes that `check` finds in what could be read, sorted in by the lines of their
// fields.
absl::Status ParseYaml(absl::string_view yaml, absl::string_view name, google::protobuf::Message& message,
                       FieldCheck check);

// ParseYaml of a file of at most 1 MiB. NOT_FOUND naming the path when it is missing.
absl::Status LoadYamlFile(const std::string& path, google::protobuf::Message& message);
absl::Status LoadYamlFile(const std::string& path, google::protobuf::Message& message, FieldCheck check);

}  // namespace tsunagi
