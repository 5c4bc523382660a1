// Toolchain "vela": the network in integers as TFLite, and Arm's Vela makes of that the command stream of one Ethos-U
// NPU and an estimate of its time and memory. Both run in the Python worker. Called through MakeToolchain().
#pragma once

#include <memory>
#include <string_view>

#include "deploy/toolchain.h"

namespace hot {

// `device`: the NPU ("ethos-u55-128"). Throws Error(kInvalidArgument) for another device, kUnavailable when Vela or
// LiteRT is not installed.
std::unique_ptr<Toolchain> MakeVelaToolchain(std::string_view device);

}  // namespace hot
