#include "deploy/toolchains/vela/vela_toolchain.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/hash.h"
#include "core/text.h"
#include "deploy/onnx_writer.h"
#include "deploy/session.h"
#include "deploy/toolchains/vela/ethos_npu.h"
#include "deploy/toolchains/vela/litert_session.h"
#include "deploy/toolchains/vela/worker_file.h"
#include "quantize/scheme.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kGoldenSeed = 20;

const EthosNpu& NpuOf(std::string_view device) {
  const EthosNpu* npu = FindEthosNpu(device);
  if (npu != nullptr) return *npu;
  std::string known;
  for (const EthosNpu& one : kEthosNpus) known += (known.empty() ? "" : ", ") + std::string(one.name);
  throw Error(Code::kInvalidArgument, "toolchain", "vela compiles for Ethos-U, not for " + std::string(device),
              "target.device: one of " + known);
}

Estimate ParseEstimate(const Json& answer) {
  return {.latency_ns = answer.at("latency_ns"),
          .peak_bytes = answer.at("peak_bytes"),
          .layers_ns = answer.at("layers_ns")};
}

class VelaToolchain : public Toolchain {
 public:
  explicit VelaToolchain(const EthosNpu& npu)
      : npu_(npu),
        worker_(std::make_shared<Bridge>()),
        version_(Json::parse(worker_->Call("vela.check", "{}")).at("vela")) {}

  std::string_view name() const override { return "vela"; }
  std::string version() const override { return version_; }
  std::string flags() const override { return EthosFlags(npu_); }
  std::vector<Precision> precisions() const override { return {Precision::kInt8, Precision::kInt16x8}; }

  Artifact Compile(const CompileRequest& request) const override {
    Check(request);
    Artifact artifact;
    artifact.toolchain = name();
    artifact.toolchain_version = version();
    artifact.flags = flags();
    artifact.precision = PrecisionName(request.precision);
    artifact.scheme = request.quantization->scheme;
    artifact.graph_key = request.graph_key;
    artifact.threads = request.threads;
    artifact.format = BlobFormat::kEthosU;
    Translate(request, artifact);
    artifact.blob_sha256 = Sha256Hex(artifact.blob);
    artifact.reference_sha256 = Sha256Hex(artifact.reference);
    if (request.timing_only) return artifact;
    LiteRtSession session(worker_, artifact.reference, "vela");
    artifact.input_names = session.InputNames();
    artifact.input_shapes = session.InputShapes();
    artifact.output_names = session.OutputNames();
    artifact.output_shapes = session.OutputShapes();
    artifact.layer_precisions = session.LayerPrecisions();
    AddGoldenPairs(artifact, session, request.golden_inputs, kGoldenSeed);
    return artifact;
  }

 private:
  void Check(const CompileRequest& request) const {
    CheckPrecision(*this, request, "Ethos-U can't execute " + PrecisionName(request.precision));
    const std::string scheme = SchemeOf(request.precision, "s8s8");  // TFLite's activations are signed
    if (request.quantization->scheme != scheme) {
      throw Error(Code::kInvalidArgument, "vela",
                  "Ethos-U executes " + PrecisionName(request.precision) + " in the scheme " + scheme + ", not in " +
                      request.quantization->scheme,
                  request.precision == Precision::kInt8 ? "quantize.scheme: s8s8" : "");
    }
  }

  // ONNX -> TFLite -> command stream. An NPU's borders are integers, whether a whole network is compiled or a part.
  void Translate(const CompileRequest& request, Artifact& artifact) const {
    const TempFolder folder;
    const fs::path onnx = folder.path() / "model.onnx", tflite = folder.path() / "model.tflite",
                   compiled = folder.path() / "compiled.tflite";
    WriteForWorker(onnx, WriteOnnx(request.network, {.quantization = request.quantization, .int8_borders = true}));
    worker_->Call("tflite.write", Json{{"onnx", onnx.string()}, {"tflite", tflite.string()}}.dump());
    const Json answer = Json::parse(worker_->Call("vela.compile", Json{{"tflite", tflite.string()},
                                                                       {"output", compiled.string()},
                                                                       {"accelerator-config", npu_.name},
                                                                       {"system-config", npu_.system_config},
                                                                       {"memory-mode", npu_.memory_mode},
                                                                       {"optimise", "Performance"}}
                                                                      .dump()));
    const std::vector<std::string> left = answer.at("cpu_operators");
    if (!left.empty()) {
      throw Error(
          Code::kUnimplemented, "vela",
          std::string(npu_.name) + " leaves to the CPU what Vela gives no time for: " + JoinNames(left, left.size()));
    }
    artifact.estimate = ParseEstimate(answer);
    artifact.reference = ReadFile(tflite);
    artifact.blob = ReadFile(compiled);
  }

  const EthosNpu& npu_;
  std::shared_ptr<Bridge> worker_;  // shared with sessions
  std::string version_;
};

}  // namespace

std::unique_ptr<Toolchain> MakeVelaToolchain(std::string_view device) {
  return std::make_unique<VelaToolchain>(NpuOf(device));
}

}  // namespace hot
