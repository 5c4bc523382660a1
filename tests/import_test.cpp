// hot import on networks that PyTorch exported: what was read computes what ONNX Runtime computes with the file itself,
// in LibTorch and in the ONNX file that we would deploy.
#include "pipeline/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "core/subprocess.h"
#include "deploy/onnx_writer.h"
#include "graph/graph_file.h"
#include "graph/safetensors.h"
#include "graph_outputs.h"

namespace hot {
namespace {

using testing::HasSubstr;

// Runs FOLDER/*.ours.onnx on the .in beside the file that they were read from.
constexpr const char* kRun = R"(
import glob, sys, numpy, onnxruntime
for model in glob.glob(sys.argv[1] + '/*.ours.onnx'):
    session = onnxruntime.InferenceSession(model, providers=['CPUExecutionProvider'])
    spec = session.get_inputs()[0]
    data = numpy.fromfile(model.replace('.ours.onnx', '.in'), numpy.float32).reshape(spec.shape)
    outputs = session.run(None, {spec.name: data})
    numpy.concatenate([output.ravel() for output in outputs]).tofile(model.replace('.onnx', '.out'))
)";

struct Expected {
  const char* name;
  const char* says;  // of hot import
};

constexpr Expected kExpected[] = {
    {"mobilenet_v2", "slot3   3 x irb-k3-e6, 32 channels: 16 choices"},
    {"mobilenet_v2_norm", "slot1   irb-k3-e1, 16 channels: 6 choices"},
    {"resnet18", "slot2   2 x basic-k3-e1, 128 channels: 30 choices"},
    {"mobilenet_v3_large", "slot3   3 x irb-k5-e3 (relu, squeeze-and-excitation), 40 channels"},
    {"mobilenet_v3_old", "(hard_swish, squeeze-and-excitation)"},
    {"ssdlite", "the head reads its"},
};

class ImportTorchvision : public testing::Test {
 protected:
  fs::path File(const std::string& name, const char* suffix) const { return folder_.path() / (name + suffix); }

  // What hot import makes of a file; LibTorch's outputs of that, and our ONNX file of it.
  std::vector<float> Import(const Expected& expected, int64_t parameters, bool folded) {
    const std::string name = expected.name;
    const ImportRequest request{.model = File(name, ".onnx"), .out = folder_.path() / name};
    const Imported imported = ImportNetwork(request);
    EXPECT_THAT(ImportText(imported, request.out), HasSubstr(expected.says));
    EXPECT_EQ(imported.batch_norm, !folded);
    if (!folded) EXPECT_EQ(imported.costs.params, parameters) << name;
    const Graph graph = ReadGraph(imported.files[0]);
    const Weights weights = ReadSafetensors(imported.files[1]);
    WriteFileAtomic(File(name, ".ours.onnx"), WriteOnnx(FoldBatchNorm(graph, weights), {}));
    const Shape& shape = graph.node(0).shape;
    Tensor image({1, shape.c, shape.h, shape.w});
    image.data = ReadFloats(File(name, ".in"));
    return AllValues(LibTorchOutputs(graph, weights, image));
  }

  void ExpectNear(const std::vector<float>& ours, const std::vector<float>& theirs, const char* what) {
    ASSERT_EQ(ours.size(), theirs.size()) << what;
    EXPECT_LT(LargestDifference(ours, theirs), 1e-4 * LargestMagnitude(theirs)) << what;
  }

  const TempFolder folder_;
};

TEST_F(ImportTorchvision, ComputesTheSame) {
  const fs::path torch = fs::path(HOT_SOURCE_DIR) / ".venv-bench/torch/bin/python",
                 ours = fs::path(HOT_VENV) / "bin/python";
  if (!fs::exists(torch))
    GTEST_SKIP() << "skipped: no torchvision in " << torch << " (scripts/bench torch installs it)";
  const fs::path script = fs::path(HOT_SOURCE_DIR) / "tests/import_export.py";
  const ProcessResult run = RunProcess({torch.string(), script.string(), folder_.path().string(), HOT_SITE_PACKAGES});
  if (run.status.code == 77) GTEST_SKIP() << "skipped: " << run.output;
  ASSERT_TRUE(run.status.ok()) << run.output;
  std::map<std::string, std::vector<float>> libtorch;
  for (const Expected& expected : kExpected) {
    SCOPED_TRACE(expected.name);
    const size_t line = run.output.find(std::string("\n") + expected.name + " ");
    const std::string from = line == std::string::npos ? run.output : run.output.substr(line + 1);
    const int64_t parameters = std::stoll(from.substr(from.find(' ') + 1));
    const bool folded = !std::string(expected.name).ends_with("norm") && !std::string(expected.name).ends_with("large");
    libtorch[expected.name] = Import(expected, parameters, folded);
  }
  const ProcessResult oracle = RunProcess({ours.string(), "-c", kRun, folder_.path().string()});
  ASSERT_TRUE(oracle.status.ok()) << oracle.output;
  for (const auto& [name, values] : libtorch) {
    SCOPED_TRACE(name);
    const std::vector<float> theirs = ReadFloats(File(name, ".out"));
    ExpectNear(values, theirs, "LibTorch");
    ExpectNear(ReadFloats(File(name, ".ours.out")), theirs, "our ONNX file");
  }
}

}  // namespace
}  // namespace hot
