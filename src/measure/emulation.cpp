#include "measure/emulation.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/error.h"

namespace hot {
namespace {

// The kind of processor that a program is for; EM_NONE for what is no program or can't be read.
Elf64_Half Machine(const fs::path& program) {
  Elf64_Ehdr header{};
  std::ifstream file(program, std::ios::binary);
  file.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!file || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return EM_NONE;
  return header.e_machine;
}

#if defined(__x86_64__)
constexpr Elf64_Half kOurs = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kOurs = EM_AARCH64;
#endif

}  // namespace

fs::path Emulator(const fs::path& executed) {
  const Elf64_Half machine = Machine(executed);
  if (machine == EM_NONE || machine == kOurs) return "";
  std::error_code failed;
  const fs::path program = fs::read_symlink(executed, failed);
  return failed ? executed : program;
}

void RefuseEmulated(const std::string& description, std::string_view device) {
  const auto json = nlohmann::json::parse(description, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("emulated")) return;
  throw Error(Code::kFailedPrecondition, std::string(device),
              "can't measure under " + json.at("emulated").dump() + ": an emulator's times are no device's",
              "measure on the board itself; compile and run jobs work here");
}

}  // namespace hot
