// Where the parts of this program lie, and what installs the parts that its packages leave to others (OpenVINO, TVM,
// LibTorch). In the source tree scripts/setup does it, on a machine with our package hot-runtimes
// (packaging/README.md). Any thread.
#pragma once

#include <string>
#include <string_view>

#include "core/files.h"

namespace hot {

// The folder above the one of the running program, which has share/ and, once installed, venv/. Empty when the kernel
// doesn't tell.
fs::path InstallationFolder();

// The command that installs what is missing: $HOT_SETUP, which the installed program's launcher sets, or scripts/setup;
// with `options` ("--with-tvm") behind it.
std::string SetupCommand(std::string_view options = "");

}  // namespace hot
