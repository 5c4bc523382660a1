// The Ethos-U NPUs that Vela can be asked about, each with the system it is assumed to sit in. Read by the vela
// toolchain and the ethos devices. Values.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace hot {

// System configuration (clock, bandwidth and latency of memories) and memory mode (what lies where) are sections of the
// configuration file Arm/vela.ini that comes with Vela; its estimates are of such a system, and mean nothing without
// it.
struct EthosNpu {
  std::string_view name;  // the device's, and Vela's accelerator configuration
  std::string_view system_config, memory_mode;
};

inline constexpr std::array<EthosNpu, 3> kEthosNpus{{{"ethos-u55-128", "Ethos_U55_High_End_Embedded", "Shared_Sram"},
                                                     {"ethos-u65-256", "Ethos_U65_High_End", "Dedicated_Sram"},
                                                     {"ethos-u85-256", "Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram"}}};

// Null when there is none of that name.
inline const EthosNpu* FindEthosNpu(std::string_view name) {
  for (const EthosNpu& npu : kEthosNpus) {
    if (npu.name == name) return &npu;
  }
  return nullptr;
}

// Canonical text for keys and manifests.
inline std::string EthosFlags(const EthosNpu& npu) {
  return "accelerator=" + std::string(npu.name) + " system=" + std::string(npu.system_config) +
         " memory=" + std::string(npu.memory_mode) + " optimise=Performance";
}

}  // namespace hot
