// A run folder after its stage compile, whose network has random weights, and bundles exported from it. For the tests
// of bundles and of hot check.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "core/subprocess.h"
#include "deploy/deviation.h"
#include "deploy/device.h"
#include "deploy/toolchain.h"
#include "graph/safetensors.h"
#include "pipeline/deployment.h"
#include "pipeline/export.h"
#include "quantize/quantized_network.h"
#include "tasks/task.h"
#include "tasks/trial.h"

namespace hot {

inline TaskOptions OptionsOf(const std::string& name) {
  TaskOptions options;
  options.task = name;
  options.input = {3, 64, 64};
  options.classes = {"red \"cell\"", "white"};
  if (name == "cpn") options.classes = {"person"};
  if (name == "cpn") options.keypoints = {"head", "left hand", "right hand"};
  options.score_threshold = 0.3;
  options.pyramid_channels = 16;
  return options;
}

class BundleRun : public testing::Test {
 protected:
  fs::path Run() const { return folder_.path() / "run"; }
  fs::path Out() const { return folder_.path() / "bundle"; }

  void MakeRun(const TaskOptions& options, Precision precision) {
    spec_.task = options;
    spec_.slots = {"irb-k3-e1@int8"};
    for (int slot = 2; slot <= 7; ++slot) spec_.slots.push_back("irb-k3-e6@int8");
    spec_.train.root = data_;
    spec_.train.split = "train";
    const fs::path trial = Run() / "trials" / "abc-lr1";
    EnsureFolder(trial);
    WriteFileAtomic(trial / "trial.json", ToJson(spec_));
    WriteFileAtomic(Run() / "train.json",
                    R"({"networks": [{"id": "abc", "role": "baseline", "best": "abc-lr1", "trials": []}]})");
    const nlohmann::ordered_json study{
        {"target", {{"precision", {PrecisionName(precision)}}}},
        {"data", {{"test", "test"}, {"test_format", "voc"}, {"test_root", data_.string()}}}};
    WriteFileAtomic(Run() / "study.json", study.dump());
    artifact_ = Compiled(precision);
    WriteArtifact(Run() / "artifacts" / ("abc-" + PrecisionName(precision)), artifact_);
  }

  Network Folded() const {
    const Graph graph = TrialGraph(spec_, *MakeTask(spec_.task), Purpose::kShipping);
    return FoldBatchNorm(graph, TimingWeights(graph, seed_));
  }

  // What a board's artifact is compiled from: the trained weights and their integers.
  void KeepWeights(Precision precision) const {
    const Graph graph = TrialGraph(spec_, *MakeTask(spec_.task), Purpose::kShipping);
    WriteSafetensors(Run() / "trials" / "abc-lr1" / "weights.safetensors", TimingWeights(graph, seed_));
    if (precision != Precision::kInt8) return;
    const Network network = Folded();
    EnsureFolder(Run() / "quantization");
    WriteQuantized(QuantizedStem(Run(), "abc", precision), network.weights, SyntheticQuantization(network));
  }

  Artifact Compiled(Precision precision, std::span<const Tensor> golden_inputs = {}) const {
    const Network network = Folded();
    const Quantization quantization = SyntheticQuantization(network);
    const bool int8 = precision == Precision::kInt8;
    Artifact artifact = MakeToolchain(toolchain_)
                            ->Compile({.network = network,
                                       .precision = precision,
                                       .quantization = int8 ? &quantization : nullptr,
                                       .golden_inputs = golden_inputs});
    if (int8) artifact.deviations = MeasureDeviation(artifact, network, quantization);
    artifact.preprocessing = TaskPreprocessing(spec_.task);
    artifact.task = spec_.task.task;
    artifact.classes = spec_.task.classes;
    artifact.keypoints = spec_.task.keypoints;
    artifact.task_options = nlohmann::ordered_json{{"skeleton", {{0, 1}, {0, 2}}},
                                                   {"box_margin", {spec_.task.margin_y, spec_.task.margin_x}}}
                                .dump();
    return artifact;
  }

  void Export(const std::string& isa = "") {
    const Exported exported = ExportNetwork(
        {.run = Run(), .network = "baseline", .format = "bundle", .out = Out(), .precision = "", .isa = isa});
    for (const fs::path& file : exported.files) EXPECT_TRUE(fs::exists(file)) << file;
  }

  // In the bundle's folder.
  ProcessResult Shell(const std::string& command) const {
    return RunProcess({"bash", "-c", "cd '" + Out().string() + "' && " + command});
  }

  static bool Here(const std::string& command) { return RunProcess({"bash", "-c", command}).status.ok(); }

  TempFolder folder_;
  std::string toolchain_ = "openvino";
  fs::path data_ = "somewhere/data";
  TrialSpec spec_ = {.width = 0.35};
  uint64_t seed_ = 3;
  Artifact artifact_;
};

}  // namespace hot
