// Compiles networks by the worker of toolchain tvm for any instruction set, and runs them: here, or on Arm's under
// qemu. For the tests of its numbers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/bridge.h"
#include "core/error.h"
#include "core/files.h"
#include "core/subprocess.h"
#include "deploy/toolchain.h"
#include "deploy/toolchains/tvm/tvm_model.h"

namespace hot {

inline constexpr const char* kTvmRunner = HOT_SOURCE_DIR "/src/deploy/toolchains/tvm/testing/run_library.c";

inline double LargestDifference(const Tensor& a, const std::vector<float>& b) {
  EXPECT_EQ(a.data.size(), b.size());
  double largest = 0;
  for (size_t i = 0; i < std::min(a.data.size(), b.size()); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a.data[i]) - b[i]));
  return largest;
}

inline int64_t Count(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

class TvmFixture : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    try {
      toolchain_ = MakeToolchain("tvm");
      worker_ = std::make_unique<Bridge>();
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      why_ = error.what();
    }
  }
  static void TearDownTestSuite() {
    toolchain_.reset();
    worker_.reset();
  }
  void SetUp() override {
    if (worker_ == nullptr) GTEST_SKIP() << "skipped: " << why_;
  }

  std::string File(const std::string& name) const { return (folder_.path() / name).string(); }

  // Writes model.so for an instruction set, "host" or another; its description.
  nlohmann::json Compile(const std::string& onnx, const std::string& target) const {
    WriteFileAtomic(File("model.onnx"), onnx);
    const nlohmann::json request{
        {"onnx", File("model.onnx")}, {"library", File("model.so")}, {"target", target}, {"part", false}};
    return nlohmann::json::parse(worker_->Call("tvm.compile", request.dump()));
  }

  std::vector<Tensor> RunHere(const std::string& onnx, const std::string& target, const Tensor& input) const {
    Compile(onnx, target);
    return TvmModel(ReadFile(File("model.so")), target).Run(std::span(&input, 1));
  }

  // Compiles the runner for Armv8; false where qemu or the compiler is not installed.
  bool MakeRunner() const {
    try {
      if (!RunProcess({"qemu-aarch64", "-version"}).status.ok()) return false;
      const ProcessResult made =
          RunProcess({"aarch64-linux-gnu-gcc", "-std=c11", "-O1", kTvmRunner, "-o", File("runner")});
      if (!made.status.ok()) throw Error(Code::kInternal, kTvmRunner, made.output);
      return true;
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      return false;
    }
  }

  std::vector<std::vector<float>> RunOnArm(const std::string& onnx, const std::string& target, const char* processor,
                                           const Tensor& input) const {
    const nlohmann::json made = Compile(onnx, target);
    WriteFileAtomic(File("in"), {reinterpret_cast<const char*>(input.data.data()), input.data.size() * sizeof(float)});
    std::vector<std::string> command{"qemu-aarch64", "-cpu", processor, "-L", "/usr/aarch64-linux-gnu", File("runner")};
    command.insert(command.end(),
                   {File("model.so"), made.at("arena_bytes").dump(), File("in"), std::to_string(Count(input.shape))});
    const nlohmann::json& outputs = made.at("outputs");
    for (size_t i = 0; i < outputs.size(); ++i)
      command.insert(command.end(), {File("out" + std::to_string(i)), std::to_string(Count(outputs[i].at("shape")))});
    const ProcessResult ran = RunProcess(command);
    if (!ran.status.ok()) throw Error(Code::kInternal, "qemu-aarch64", ran.output);
    std::vector<std::vector<float>> values(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      const std::string bytes = ReadFile(File("out" + std::to_string(i)));
      values[i].resize(bytes.size() / sizeof(float));
      std::memcpy(values[i].data(), bytes.data(), bytes.size());
    }
    return values;
  }

  const TempFolder folder_;
  inline static std::unique_ptr<Toolchain> toolchain_;
  inline static std::unique_ptr<Bridge> worker_;
  inline static std::string why_;
};

}  // namespace hot
