#include "core/error.h"
#include "deploy/device.h"
#include "deploy/devices/ethos/ethos_device.h"
#include "deploy/devices/host/host_device.h"
#include "deploy/devices/remote/remote_device.h"
#include "deploy/toolchain.h"
#include "deploy/toolchains/openvino/openvino_toolchain.h"
#include "deploy/toolchains/remote/remote_toolchain.h"
#include "deploy/toolchains/tvm/tvm_toolchain.h"
#include "deploy/toolchains/vela/vela_toolchain.h"

namespace hot {

std::unique_ptr<Toolchain> MakeToolchain(std::string_view name, std::string_view device, const AgentAccess& access) {
  if (IsRemote(device)) return MakeRemoteToolchain(name, device, access);
  if (name != "vela" && FindEthosNpu(device) != nullptr) {
    throw Error(Code::kInvalidArgument, "toolchain", std::string(name) + " has nothing for " + std::string(device),
                "target.toolchain: vela");
  }
  if (name == "openvino") return MakeOpenVinoToolchain();
  if (name == "tvm") return MakeTvmToolchain();
  if (name == "vela") return MakeVelaToolchain(device);
  throw Error(Code::kInvalidArgument, "toolchain", "unknown toolchain \"" + std::string(name) + "\"",
              "known: openvino, tvm, vela");
}

std::unique_ptr<Device> MakeDevice(std::string_view name, int threads, const AgentAccess& access) {
  if (threads < 1)
    throw Error(Code::kInvalidArgument, "threads", "expected at least 1, got " + std::to_string(threads));
  if (IsRemote(name)) return MakeRemoteDevice(name, threads, access);
  if (name == "host") return MakeHostDevice(threads);
  if (const EthosNpu* npu = FindEthosNpu(name)) return MakeEthosDevice(*npu);
  throw Error(Code::kInvalidArgument, "device", "unknown device \"" + std::string(name) + "\"",
              "known: host, ethos-u55-128, ethos-u65-256, ethos-u85-256, grpc://HOST:PORT");
}

}  // namespace hot
