// Runs a fuzz target over files and folders of files, for compilers without libFuzzer: the corpus is part of the normal
// tests. Takes the same command line as libFuzzer's own main does (arguments with '-' are its options and are skipped).
#include <cstdio>
#include <string>
#include <vector>

#include "fuzz_target.h"

int main(int argc, char** argv) {
  std::vector<hot::fs::path> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with('-')) continue;
    if (!hot::fs::is_directory(argument)) {
      files.emplace_back(argument);
      continue;
    }
    for (const hot::fs::path& file : hot::ListFiles(argument)) files.push_back(file);
  }
  for (const hot::fs::path& file : files) {
    std::fprintf(stderr, "%s\n", file.c_str());  // the last line names the culprit of a crash
    const std::string bytes = hot::ReadFile(file);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }
  std::printf("%zu inputs replayed\n", files.size());
  return files.empty() ? 1 : 0;  // an empty corpus would test nothing
}
