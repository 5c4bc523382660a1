#include "deploy/toolchains/tvm/tvm_toolchain.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/bridge.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "deploy/onnx_writer.h"
#include "deploy/session.h"
#include "deploy/toolchains/tvm/tvm_model.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kGoldenSeed = 20;

struct Translated {
  std::string library;
  Json description;
};

// ONNX -> shared object.
Translated Translate(Bridge& worker, const CompileRequest& request, const std::string& isa) {
  const bool int8 = request.precision == Precision::kInt8;
  const TempFolder folder;
  const fs::path onnx = folder.path() / "model.onnx", library = folder.path() / "model.so";
  WriteFileAtomic(onnx, WriteOnnx(request.network, {.quantization = int8 ? request.quantization : nullptr,
                                                    .fp16 = request.precision == Precision::kFp16,
                                                    .int8_borders = int8 && request.int8_borders}));
  const std::string described = worker.Call(
      "tvm.compile",
      Json{{"onnx", onnx.string()}, {"library", library.string()}, {"target", isa}, {"part", request.int8_borders}}
          .dump());
  return {ReadFile(library), Json::parse(described)};
}

class TvmToolchain : public Toolchain {
 public:
  TvmToolchain() {
    const Json found = Json::parse(worker_.Call("tvm.check", "{}"));
    version_ = found.at("tvm");
    flags_ = "isa=" + found.at("isa").get<std::string>() + " templates=" + found.at("templates").dump();
  }

  std::string_view name() const override { return "tvm"; }
  std::string version() const override { return version_; }
  std::string flags() const override { return flags_; }
  std::vector<Precision> precisions() const override { return {Precision::kFp32, Precision::kFp16, Precision::kInt8}; }

  Artifact Compile(const CompileRequest& request) const override {
    Check(request);
    const bool int8 = request.precision == Precision::kInt8;
    Artifact artifact;
    artifact.toolchain = name();
    artifact.toolchain_version = version();
    artifact.flags = flags() + (request.precision == Precision::kFp16 ? " sums=f32" : "") +
                     (!request.int8_borders ? ""
                      : int8                ? " borders=int8"
                                            : " borders=blocked");
    artifact.precision = PrecisionName(request.precision);
    artifact.scheme = int8 ? request.quantization->scheme : "";
    artifact.graph_key = request.graph_key;
    artifact.threads = request.threads;
    artifact.format = BlobFormat::kSharedObject;
    artifact.blob = Translate(worker_, request, "host").library;
    artifact.blob_sha256 = Sha256Hex(artifact.blob);
    if (request.timing_only) return artifact;
    TvmModel model(artifact.blob, "tvm");
    for (const auto& port : model.description().inputs) {
      artifact.input_names.push_back(port.name);
      artifact.input_shapes.push_back(port.shape);
    }
    for (const auto& port : model.description().outputs) {
      artifact.output_names.push_back(port.name);
      artifact.output_shapes.push_back(port.shape);
    }
    artifact.layer_precisions = model.LayerPrecisions();
    artifact.planned_bytes = {{"arena", model.description().arena_bytes},
                              {"constants", model.description().constant_bytes}};
    AddGoldenPairs(artifact, model, request.golden_inputs, kGoldenSeed);
    return artifact;
  }

 private:
  void Check(const CompileRequest& request) const {
    CheckPrecision(*this, request, "there are no templates for " + PrecisionName(request.precision));
    if (request.threads != 1) {
      throw Error(Code::kInvalidArgument, "tvm",
                  "its code runs on one thread, " + std::to_string(request.threads) + " were asked for",
                  "target.threads: 1, or target.toolchain: openvino");
    }
  }

  mutable Bridge worker_;
  std::string version_, flags_;
};

}  // namespace

std::unique_ptr<Toolchain> MakeTvmToolchain() { return std::make_unique<TvmToolchain>(); }

std::string InstructionSetOf(const Artifact& artifact) {
  const size_t begin = artifact.flags.find("isa=") + 4;  // npos + 4: an artifact of ours has it
  return artifact.flags.substr(begin, artifact.flags.find(' ', begin) - begin);
}

Artifact CompileTvmFor(const std::string& isa, const Artifact& made, const Network& network,
                       const Quantization* quantization) {
  if (made.toolchain != "tvm")
    throw Error(Code::kInvalidArgument, made.toolchain, "its artifacts are for this machine only",
                "target.toolchain: tvm compiles for other processors");
  Bridge worker;
  const CompileRequest request{
      .network = network, .precision = ParsePrecision(made.precision), .quantization = quantization};
  Translated translated = Translate(worker, request, isa);
  Artifact artifact = made;
  artifact.blob = std::move(translated.library);
  artifact.blob_sha256 = Sha256Hex(artifact.blob);
  artifact.planned_bytes = {{"arena", translated.description.at("arena_bytes")},
                            {"constants", translated.description.at("constant_bytes")}};
  const std::string before = InstructionSetOf(made);
  artifact.flags.replace(artifact.flags.find(before), before.size(), isa);
  artifact.flags += " golden=" + before;
  return artifact;
}

}  // namespace hot
