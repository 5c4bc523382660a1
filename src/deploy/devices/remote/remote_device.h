// Devices behind agents (`hot serve`), one or several equal ones: "grpc://board:7070". Called through MakeDevice().
#pragma once

#include <memory>
#include <string_view>

#include "deploy/device.h"

namespace hot {

// Whether that names remote devices.
bool IsRemote(std::string_view name);
// "board:7070" of "grpc://board:7070"; several with commas between. Throws Error(kInvalidArgument).
std::vector<std::string> AgentAddresses(std::string_view name);

std::unique_ptr<Device> MakeRemoteDevice(std::string_view name, int threads, const AgentAccess& access);

}  // namespace hot
