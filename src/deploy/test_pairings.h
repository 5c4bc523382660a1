// The fixture of the contracts that toolchains and devices keep: tests that run for each pair of them. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "deploy/test_networks.h"
#include "deploy/toolchain.h"

namespace hot {

struct Pairing {
  const char* device;
  const char* toolchain;
};

// Those whose contracts are tested: of this machine, or (tests/agent_contract.cpp) of an agent on it.
std::vector<Pairing> Pairings();

// Letters, digits and "_", for names of tests.
inline std::string PairingName(const ::testing::TestParamInfo<Pairing>& info) {
  std::string name = std::string(info.param.device) + "_" + info.param.toolchain;
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class PairingTest : public ::testing::TestWithParam<Pairing> {
 protected:
  void SetUp() override {
    try {
      toolchain_ = MakeToolchain(GetParam().toolchain, GetParam().device);
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      GTEST_SKIP() << "skipped: " << error.what();
    }
  }

  std::unique_ptr<Toolchain> toolchain_;
  const Network network_ = SmallMobileNet();
};

}  // namespace hot
