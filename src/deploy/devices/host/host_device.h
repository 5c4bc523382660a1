// Device "host": this machine's CPU through OpenVINO. Called through MakeDevice().
#pragma once

#include <memory>

#include "deploy/device.h"

namespace hot {

std::unique_ptr<Device> MakeHostDevice(int threads);

}  // namespace hot
