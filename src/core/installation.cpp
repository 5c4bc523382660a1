#include "core/installation.h"

#include <cstdlib>

namespace hot {

fs::path InstallationFolder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
}

std::string SetupCommand(std::string_view options) {
  const char* given = std::getenv("HOT_SETUP");
  std::string command = given != nullptr && *given != '\0' ? given : "scripts/setup";
  if (!options.empty()) command.append(" ").append(options);
  return command;
}

}  // namespace hot
