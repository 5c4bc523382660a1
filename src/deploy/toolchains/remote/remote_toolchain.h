// A toolchain that lives beside a remote device: its agent compiles. Called through MakeToolchain().
#pragma once

#include <memory>
#include <string_view>

#include "deploy/toolchain.h"

namespace hot {

// `device`: as MakeDevice() takes it; of several boards the first that answers compiles. Throws Error(kUnavailable)
// when no agent answers or it has no such toolchain.
std::unique_ptr<Toolchain> MakeRemoteToolchain(std::string_view name, std::string_view device,
                                               const AgentAccess& access);

}  // namespace hot
