// Files for the Python worker. Used by the vela toolchain and LiteRT sessions.
#pragma once

#include <fstream>
#include <string_view>

#include "core/error.h"
#include "core/files.h"

namespace hot {

// Unlike WriteFileAtomic not synced: it is read at once, by the worker only, and need not survive a crash. Throws
// Error(kResourceExhausted).
inline void WriteForWorker(const fs::path& file, std::string_view bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) throw Error(Code::kResourceExhausted, file.string(), "can't write", "is the disk full?");
}

}  // namespace hot
