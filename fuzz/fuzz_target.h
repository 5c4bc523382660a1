// What the fuzz targets share. A target is one file NAME_fuzzer.cpp with LLVMFuzzerTestOneInput, called by libFuzzer
// (preset fuzz) or by replay_main.cpp (every other preset) with bytes that may be anything. A parser may refuse them
// with hot::Error and one clear line; any other exception, a crash or a sanitizer's report ends the program. One
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace hot {

inline std::string_view AsText(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }

// A folder of its own for the files of one program run; made once, written anew for every input. scripts/fuzz puts it
// into memory.
class InputFolder {
 public:
  const fs::path& path() const { return folder_.path(); }

  // Without WriteFileAtomic's sync to the disk, which would be most of the time. Makes folders on the way.
  fs::path Write(const fs::path& name, std::string_view bytes) const {
    const fs::path file = folder_.path() / name;
    fs::create_directories(file.parent_path());
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    HOT_ASSERT(out.flush().good());
    return file;
  }

 private:
  TempFolder folder_;
};

// Runs `parse`; a hot::Error is a right answer when its text is one line that says something.
template <typename Parse>
void MayThrowError(Parse&& parse) {
  try {
    std::forward<Parse>(parse)();
  } catch (const Error& error) {
    HOT_ASSERT(!error.message().empty());
    HOT_ASSERT(std::string_view(error.what()).find('\n') == std::string_view::npos);
  }
}

}  // namespace hot
