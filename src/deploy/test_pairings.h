// The fixture of the contracts that toolchains and devices keep: tests that run for each pair of them. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "core/error.h"
#include "deploy/test_networks.h"
#include "deploy/toolchain.h"

namespace hot {

struct Pairing {
  const char* device;
  const char* toolchain;
};

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
