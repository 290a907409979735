// Runs a fuzz target over a corpus without libFuzzer: each file, and each file cut and with one bit flipped.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

// Changed copies per file are bounded so that a long file costs no more than a short one.
constexpr size_t kChangesPerFile = 256;

void Run(const std::string& input) {
  // A fresh allocation of the exact size lets AddressSanitizer see a read past the end.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

void RunChanged(const std::string& input) {
  const size_t step = input.size() / kChangesPerFile + 1;
  for (size_t i = 0; i < input.size(); i += step) {
    Run(input.substr(0, i));
    std::string flipped = input;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
    Run(flipped);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !std::filesystem::is_directory(argv[1])) {
    std::fprintf(stderr, "usage: %s FOLDER of seed inputs: each fuzz target has one in tests/fuzz/corpus\n",
                 argv[0]);
    return 2;
  }
  size_t files = 0;
  Run("");
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string input((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    Run(input);
    RunChanged(input);
    ++files;
  }
  std::printf("%zu seed inputs replayed\n", files);
  return files == 0 ? 1 : 0;
}
