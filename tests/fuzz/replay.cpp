// SPDX-License-Identifier: BSL-1.0
// Stands in for libFuzzer: gives each file of the folders and files named to LLVMFuzzerTestOneInput(), in order of name.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

// The name is libFuzzer's.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> inputs_in(const std::filesystem::path& given) {
  std::vector<std::filesystem::path> found;
  if (!std::filesystem::is_directory(given)) return {given};
  for (const auto& entry : std::filesystem::directory_iterator(given)) {
    if (entry.is_regular_file()) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t replayed = 0;
  for (int i = 1; i < count; ++i) {
    for (const auto& path : inputs_in(arguments[i])) {
      std::ifstream file(path, std::ios::binary);
      const std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
      if (!file) return std::fprintf(stderr, "cannot read %s\n", path.c_str()), 2;
      // Said before, so that the last line names the one that ended the program.
      std::printf("%s\n", path.filename().c_str());
      std::fflush(stdout);
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
      ++replayed;
    }
  }
  if (replayed == 0) return std::fprintf(stderr, "no inputs: name a folder that has some\n"), 2;
  std::printf("%zu inputs\n", replayed);
  return 0;
}
