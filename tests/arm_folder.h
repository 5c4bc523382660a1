// What scripts/setup --target aarch64 made, and the emulator that runs it.
#pragma once

#include <string>
#include <vector>

#include "core/files.h"
#include "core/subprocess.h"

namespace hot {

inline constexpr const char* kArmFolder = HOT_SOURCE_DIR "/dist/hot-aarch64";
inline constexpr const char* kArmProgram = HOT_SOURCE_DIR "/dist/hot-aarch64/bin/hot";
inline constexpr const char* kArmSysroot = HOT_SOURCE_DIR "/.sysroot/aarch64";
inline constexpr const char* kArmGlibc = "/usr/aarch64-linux-gnu";  // all that the folder leaves to the board

inline bool ArmIsHere() { return fs::exists(kArmProgram) && FindProgram("qemu-aarch64") && fs::exists(kArmGlibc); }
inline constexpr const char* kArmIsNotHere = "skipped: needs scripts/setup --target aarch64";

// An Armv8.2 core with dot products; what it starts inherits both.
inline std::vector<std::string> Emulated() {
  return {"env", "QEMU_CPU=neoverse-n1", std::string("QEMU_LD_PREFIX=") + kArmGlibc, "qemu-aarch64"};
}

}  // namespace hot
