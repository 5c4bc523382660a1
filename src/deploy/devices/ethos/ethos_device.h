// Devices "ethos-u55-128", "ethos-u65-256", "ethos-u85-256": NPUs that are not here. Latency and memory are what Vela
// estimated when it compiled the artifact; outputs are those of LiteRT on the TFLite file that Vela was given. Called
// through MakeDevice().
#pragma once

#include <memory>

#include "deploy/device.h"
#include "deploy/toolchains/vela/ethos_npu.h"

namespace hot {

std::unique_ptr<Device> MakeEthosDevice(const EthosNpu& npu);

}  // namespace hot
