// Whether a processor runs this program or an emulator does, whose times are no device's. Asked by DescribeEnvironment,
// by devices that measure and by the stages that fill the journal. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "core/files.h"

namespace hot {

// "/usr/bin/qemu-aarch64": the program that carries out this one's instructions; empty where the processor does. An
// emulator of user programs shows them themselves as /proc/self/exe; a thread's own link names what the kernel
// executes, and that is a file for another kind of processor. `executed` is for tests.
fs::path Emulator(const fs::path& executed = "/proc/thread-self/exe");

// For who is about to measure on a device. Throws Error(kFailedPrecondition) when its description
// (DescribeEnvironment().json, DeviceInfo::json) says that it is emulated.
void RefuseEmulated(const std::string& description, std::string_view device);

}  // namespace hot
