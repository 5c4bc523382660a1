#include "pipeline/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "graph/fold.h"
#include "graph/safetensors.h"
#include "models/pretrained/pretrained.h"
#include "tasks/trial.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A run folder with the two networks that were trained, as the train stage leaves it.
class ExportTest : public testing::Test {
 protected:
  ExportTest() {
    spec_.slots = {"irb-k3-e1@int8"};
    for (int slot = 2; slot <= 7; ++slot) spec_.slots.push_back("irb-k3-e6@int8");
    spec_.width = 0.35;
    spec_.task.input = {3, 64, 64};
    spec_.task.classes = {"a", "b"};
    spec_.task.convention.style = {.padding = Padding::kSame, .bn_eps = 1e-3};
    const fs::path trial = Run() / "trials" / "abc123-lr1";
    EnsureFolder(trial);
    WriteFileAtomic(trial / "trial.json", ToJson(spec_));
    weights_ = RandomWeights(TrialGraph(spec_, *MakeTask(spec_.task)), 1);
    WriteSafetensors(trial / "weights.safetensors", weights_);
    WriteFileAtomic(Run() / "train.json", R"({"version": 1, "networks": [
        {"id": "abc123", "role": "baseline", "best": "abc123-lr1", "trials": []},
        {"id": "abd456", "role": "candidate", "best": "", "trials": []}]})");
  }

  fs::path Run() const { return folder_.path() / "run"; }
  fs::path Out() const { return folder_.path() / "out"; }

  std::string Failure(const std::string& network, const std::string& format = "onnx") {
    try {
      ExportNetwork({.run = Run(), .network = network, .format = format, .out = Out()});
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  TempFolder folder_;
  TrialSpec spec_;
  Weights weights_;
};

TEST_F(ExportTest, WeightsAreImportedAgain) {
  const Exported exported = ExportNetwork({.run = Run(), .network = "baseline", .format = "safetensors", .out = Out()});
  EXPECT_EQ(exported.id, "abc123");
  EXPECT_EQ(exported.trial, "abc123-lr1");
  EXPECT_THAT(exported.files, ElementsAre(Out() / "weights.safetensors"));
  const Pretrained pretrained = ReadPretrained(exported.files[0], FindBackbone("mobilenet_v2"));
  EXPECT_EQ(pretrained.convention, spec_.task.convention);
  const Graph graph = TrialGraph(spec_, *MakeTask(spec_.task));
  Weights read = RandomWeights(graph, 2);
  EXPECT_EQ(Inherit(graph, pretrained, read).taken, weights_.size());
  for (const auto& [name, tensor] : weights_) EXPECT_EQ(read.at(name).data, tensor.data) << name;
}

TEST_F(ExportTest, EveryFormatWritesItsFiles) {
  const auto files = [&](const char* format) {
    std::vector<std::string> names;
    for (const fs::path& file : ExportNetwork({.run = Run(), .network = "abc", .format = format, .out = Out()}).files) {
      names.push_back(file.filename().string());
      EXPECT_GT(fs::file_size(file), 1000u);
    }
    return names;
  };
  EXPECT_THAT(files("pytorch"), ElementsAre("network.py", "weights.safetensors"));
  EXPECT_THAT(files("onnx"), ElementsAre("network.onnx"));
  EXPECT_THAT(ReadFile(Out() / "network.py"), HasSubstr("Network abc123: mobilenet_v2, width 0.35, ssd"));
}

TEST_F(ExportTest, AWinnerIsLookedUp) {
  EXPECT_THAT(Failure("accuracy"), HasSubstr("evaluation.json: does not exist (run hot evaluate first)"));
  WriteFileAtomic(Run() / "evaluation.json", R"({"winners": {"accuracy": "abc123", "latency": null}})");
  EXPECT_EQ(ExportNetwork({.run = Run(), .network = "accuracy", .format = "onnx", .out = Out()}).id, "abc123");
  EXPECT_THAT(Failure("latency"), HasSubstr("no network won by latency"));
}

TEST_F(ExportTest, MistakesGetOneLine) {
  EXPECT_THAT(Failure("xyz"), HasSubstr("has no network xyz (it has: abc123 (baseline), abd456)"));
  EXPECT_THAT(Failure("ab"), HasSubstr("ab is the beginning of several ids"));
  EXPECT_THAT(Failure("abd456"), HasSubstr("no training of abd456 finished"));
  EXPECT_THAT(Failure("baseline", "tflite"),
              HasSubstr("unknown format \"tflite\" (known: pytorch, safetensors, onnx, bundle)"));
  fs::remove(Run() / "trials" / "abc123-lr1" / "weights.safetensors");
  EXPECT_THAT(Failure("baseline"), HasSubstr("weights.safetensors"));
  WriteFileAtomic(Run() / "train.json", "{");
  EXPECT_THAT(Failure("baseline"), HasSubstr("train.json: is broken"));
  fs::remove(Run() / "train.json");
  EXPECT_THAT(Failure("baseline"), HasSubstr("run hot train first"));
}

}  // namespace
}  // namespace hot
