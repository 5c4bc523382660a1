#include "pipeline/runtime_memory.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hot {
namespace {

TEST(RuntimeMemory, IsWhatTheToolchainReports) {
  Artifact openvino;
  EXPECT_FALSE(RuntimeRamOf(openvino).has_value());
  EXPECT_TRUE(KeepsRam(openvino, 1));
  Artifact tvm;
  tvm.planned_bytes = {{"arena", 4096}, {"constants", 1 << 20}};
  EXPECT_EQ(RuntimeRamOf(tvm)->bytes, 4096);
  Artifact u55;
  u55.estimate = Estimate{.latency_ns = 1, .peak_bytes = {{"sram", 2048}, {"off_chip_flash", 9000}}};
  EXPECT_EQ(RuntimeRamOf(u55)->bytes, 2048);
  Artifact u65;
  u65.estimate = Estimate{.latency_ns = 1, .peak_bytes = {{"sram", 2048}, {"dram", 9000}}};
  EXPECT_FALSE(RuntimeRamOf(u65).has_value()) << "its weights are in there";
}

TEST(RuntimeMemory, IsHeldAgainstTheBudget) {
  Artifact tvm;
  tvm.planned_bytes = {{"arena", 4096}};
  EXPECT_TRUE(KeepsRam(tvm, {}));
  EXPECT_TRUE(KeepsRam(tvm, 4));
  EXPECT_FALSE(KeepsRam(tvm, 3.9));
  const auto json = RamJson(tvm, 3072, 3.9);
  EXPECT_EQ(json.at("estimated_kib"), 3.0);
  EXPECT_EQ(json.at("runtime_kib"), 4.0);
  EXPECT_EQ(json.at("source"), "TVM's memory plan");
  EXPECT_EQ(json.at("keeps_budget"), false);
  EXPECT_TRUE(RamJson(tvm, 3072, {}).at("keeps_budget").is_null());
  EXPECT_TRUE(RamJson({}, 3072, 1).at("runtime_kib").is_null());
}

}  // namespace
}  // namespace hot
