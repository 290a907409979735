#include "core/crypto/json.h"

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace tsunagi::crypto {
namespace {

constexpr size_t kMaxDepth = 16;

// Notes the names of every open object; stops at a repeated one.
class NameChecker {
 public:
  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(nlohmann::json::number_integer_t) { return true; }
  bool number_unsigned(nlohmann::json::number_unsigned_t) { return true; }
  bool number_float(nlohmann::json::number_float_t, const std::string&) { return true; }
  bool string(std::string&) { return true; }
  bool binary(nlohmann::json::binary_t&) { return true; }
  bool start_object(size_t) { return Open(); }
  bool key(std::string& name) { return open_.back().insert(name).second; }
  bool end_object() { return Close(); }
  bool start_array(size_t) { return Open(); }
  bool end_array() { return Close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) { return false; }

 private:
  bool Open() {
    open_.emplace_back();
    return open_.size() <= kMaxDepth;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }
  std::vector<std::set<std::string>> open_;
};

}  // namespace

nlohmann::json ParseStrictObject(absl::string_view text) {
  const nlohmann::json discarded(nlohmann::json::value_t::discarded);
  NameChecker checker;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &checker)) return discarded;
  nlohmann::json parsed =
      nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  return parsed.is_object() ? parsed : discarded;
}

}  // namespace tsunagi::crypto
