#include "core/error.h"
#include "deploy/device.h"
#include "deploy/devices/host/host_device.h"
#include "deploy/toolchain.h"
#include "deploy/toolchains/openvino/openvino_toolchain.h"

namespace hot {

std::unique_ptr<Toolchain> MakeToolchain(std::string_view name) {
  if (name == "openvino") return MakeOpenVinoToolchain();
  throw Error(Code::kInvalidArgument, "toolchain", "unknown toolchain \"" + std::string(name) + "\"",
              "known: openvino");
}

std::unique_ptr<Device> MakeDevice(std::string_view name, int threads) {
  if (threads < 1)
    throw Error(Code::kInvalidArgument, "threads", "expected at least 1, got " + std::to_string(threads));
  if (name == "host") return MakeHostDevice(threads);
  throw Error(Code::kInvalidArgument, "device", "unknown device \"" + std::string(name) + "\"", "known: host");
}

}  // namespace hot
