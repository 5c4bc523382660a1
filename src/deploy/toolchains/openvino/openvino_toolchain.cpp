#include "deploy/toolchains/openvino/openvino_toolchain.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "deploy/onnx_writer.h"
#include "deploy/session.h"
#include "deploy/toolchains/openvino/openvino_model.h"

namespace hot {
namespace {

constexpr uint64_t kGoldenSeed = 20;

// How a block measured alone is fed. Channels-last spares float blocks two layout conversions (the stages of
// MobileNetV2 then sum to 1.15 times the network instead of 1.5); OpenVINO does not remove the transposes of int8
// tensors, so int8 blocks stay NCHW and pay for the conversion of 8-bit maps.
std::string Borders(const CompileRequest& request) {
  if (!request.int8_borders) return "";
  return request.precision == Precision::kInt8 ? " borders=int8" : " borders=nhwc";
}

class OpenVinoToolchain : public Toolchain {
 public:
  std::string_view name() const override { return "openvino"; }
  std::string version() const override { return OpenVinoVersion(); }
  std::string flags() const override { return OpenVinoFlags() + " concat=u8"; }
  std::vector<Precision> precisions() const override { return OpenVinoPrecisions(core_); }

  Artifact Compile(const CompileRequest& request) const override {
    Check(request);
    const bool int8 = request.precision == Precision::kInt8;
    Artifact artifact;
    artifact.toolchain = name();
    artifact.toolchain_version = version();
    artifact.flags = flags() + Borders(request);
    artifact.precision = PrecisionName(request.precision);
    artifact.scheme = int8 ? request.quantization->scheme : "";
    artifact.graph_key = request.graph_key;
    artifact.threads = request.threads;
    artifact.blob = WriteOnnx(request.network, {.quantization = int8 ? request.quantization : nullptr,
                                                .fp16 = request.precision == Precision::kFp16,
                                                .int8_borders = int8 && request.int8_borders,
                                                .channels_last_borders = request.int8_borders,
                                                .unsigned_concatenations = true});
    artifact.blob_sha256 = Sha256Hex(artifact.blob);
    if (request.timing_only) return artifact;
    OpenVinoModel model(core_, artifact.blob, request.precision, request.threads, "openvino");
    artifact.input_names = model.InputNames();
    artifact.input_shapes = model.InputShapes();
    artifact.output_names = model.OutputNames();
    artifact.output_shapes = model.OutputShapes();
    artifact.layer_precisions = model.LayerPrecisions();
    AddGoldenPairs(artifact, model, request.golden_inputs, kGoldenSeed);
    return artifact;
  }

 private:
  void Check(const CompileRequest& request) const {
    CheckPrecision(*this, request, "it can't execute " + PrecisionName(request.precision) + " on this CPU");
    if (request.precision == Precision::kInt8 &&
        SchemeOf(request.quantization->scheme).precision != request.precision) {
      throw Error(Code::kInvalidArgument, "openvino",
                  "the scheme " + request.quantization->scheme + " is none of " + PrecisionName(request.precision));
    }
  }

  mutable ov::Core core_;  // compiling is not const in OpenVINO's interface
};

}  // namespace

std::unique_ptr<Toolchain> MakeOpenVinoToolchain() { return std::make_unique<OpenVinoToolchain>(); }

}  // namespace hot
