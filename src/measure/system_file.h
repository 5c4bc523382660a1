// The kernel's one-line files in /proc and /sys. Pure functions.
#pragma once

#include <fstream>
#include <string>

#include "core/files.h"

namespace hot {

// The first line without the trailing NUL of device-tree files; empty where there is none.
inline std::string FirstLine(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (!line.empty() && (line.back() == '\0' || line.back() == ' ')) line.pop_back();
  return line;
}

}  // namespace hot
