// What a command says, as a table for people or as JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "nlohmann/json.hpp"

namespace tsunagi::cli {

using Json = nlohmann::ordered_json;

enum class Format { kTable, kJson };

// A table with as many cells in each row as in the header.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

// A result: the JSON says everything; lines and tables, in order, say it to people.
struct Output {
  Json json = Json::object();
  // What was checked did not hold, or nothing was found: the exit code is that of an error.
  bool failed = false;
  struct Block {
    std::string text;  // lines, or empty
    Table table;       // or a table
  };
  std::vector<Block> blocks;

  void Line(std::string text) { blocks.push_back({std::move(text), {}}); }
  void Add(Table table) { blocks.push_back({"", std::move(table)}); }
};

// Ends with a line feed.
std::string Render(const Output& output, Format format);

// Columns padded by their width on a terminal: East Asian wide characters take two columns. Control
// characters of cells are made visible.
std::string RenderTable(const Table& table);

// An error, and what to do next. `{"error":{…}}` as JSON.
std::string RenderError(const absl::Status& status, Format format);

// A message with its field names. Decimals, months, days and instants as people write them, enum values
// without prefix in lower case, bytes in hex; a battery as {manufacturer, serial, level}. Unset messages are
// left out.
Json ToJson(const google::protobuf::Message& message);

// An enum value without prefix, in lower case: SECTION_CONDITION is `condition`.
std::string WordOf(const google::protobuf::EnumDescriptor& descriptor, int value);
template <class Enum>
std::string WordOf(Enum value) {
  return WordOf(*google::protobuf::GetEnumDescriptor<Enum>(), value);
}

}  // namespace tsunagi::cli
