#include "core/base/yaml_tree.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/text.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/parser.h"

namespace tsunagi {
namespace {

// Takes yaml-cpp's events. Throws YAML::ParserException, which ends the parse, on what we do not accept.
class TreeBuilder final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Attach(Make(YamlNode::Kind::kNull, mark, "", anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw YAML::ParserException(mark, "aliases (`*name`) are not accepted: write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = Make(YamlNode::Kind::kScalar, mark, tag, anchor);
    node.text = value;
    node.quoted = tag == "!";
    Attach(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Make(YamlNode::Kind::kSequence, mark, tag, anchor), mark);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Make(YamlNode::Kind::kMap, mark, tag, anchor), mark);
  }
  void OnMapEnd() override { Close(); }

  YamlNode TakeRoot() { return std::move(root_); }

 private:
  static YamlNode Make(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      throw YAML::ParserException(mark, "anchors (`&name`) are not accepted: write the value out");
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw YAML::ParserException(mark, "tags (`!name`) are not accepted");
    }
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    return node;
  }
  void Open(YamlNode node, const YAML::Mark& mark) {
    if (open_.size() >= kMaxYamlDepth) {
      throw YAML::ParserException(mark, absl::StrCat("nested deeper than ", kMaxYamlDepth, " levels"));
    }
    open_.push_back(std::move(node));
  }
  void Close() {
    YamlNode node = std::move(open_.back());
    open_.pop_back();
    Attach(std::move(node));
  }
  void Attach(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    YamlNode& parent = open_.back();
    const bool is_key = parent.kind == YamlNode::Kind::kMap && parent.keys.size() == parent.items.size();
    // yaml-cpp notices a missing value only at the next line.
    if (node.kind == YamlNode::Kind::kNull && !parent.keys.empty()) node.line = parent.keys.back().line;
    (is_key ? parent.keys : parent.items).push_back(std::move(node));
  }

  std::vector<YamlNode> open_;
  YamlNode root_;
};

absl::Status Invalid(absl::string_view name, int line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(name, ":", line, ": ", Printable(what, 512)));
}

// What yaml-cpp must not see: it guesses UTF-16 from NULs and does not mind ill-formed UTF-8.
absl::Status CheckText(absl::string_view yaml, absl::string_view name) {
  if (yaml.size() > kMaxYamlBytes) {
    return Invalid(name, 1, absl::StrCat("larger than ", kMaxYamlBytes, " bytes"));
  }
  int line = 1;
  while (!yaml.empty()) {
    const Utf8Char c = DecodeUtf8(yaml);
    if (c.length == 0) return Invalid(name, line, "not UTF-8: expected a text file in UTF-8");
    if (IsControl(c.code_point) && yaml[0] != '\n' && yaml[0] != '\r' && yaml[0] != '\t') {
      return Invalid(name, line,
                     absl::StrCat("invisible character `", yaml.substr(0, c.length), "`: remove it"));
    }
    line += yaml[0] == '\n' ? 1 : 0;
    yaml.remove_prefix(c.length);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<YamlNode> ParseYamlTree(absl::string_view yaml, absl::string_view name) {
  if (const absl::Status text = CheckText(yaml, name); !text.ok()) return text;
  try {
    std::istringstream stream{std::string(yaml)};
    YAML::Parser parser(stream);
    TreeBuilder first;
    if (!parser.HandleNextDocument(first)) return YamlNode{};
    TreeBuilder second;
    if (parser.HandleNextDocument(second)) {
      return Invalid(name, second.TakeRoot().line, "second YAML document: expected one");
    }
    return first.TakeRoot();
  } catch (const YAML::Exception& error) {
    return Invalid(name, std::max(error.mark.line, 0) + 1, absl::StrCat("invalid YAML: ", error.msg));
  } catch (const std::exception&) {
    return Invalid(name, 1, "invalid YAML");
  }
}

}  // namespace tsunagi
