#include "deploy/device.h"

#include "core/error.h"
#include "core/hash.h"

namespace hot {
namespace {

constexpr size_t kShownKey = 12;

}  // namespace

std::vector<std::vector<Tensor>> Session::RunAll(std::span<const std::vector<Tensor>> pictures) {
  std::vector<std::vector<Tensor>> outputs;
  for (const std::vector<Tensor>& inputs : pictures) outputs.push_back(Run(inputs));
  return outputs;
}

std::vector<Measurement> Device::ProfileWork(std::span<const Work> /*work*/, const MeasureOptions& /*options*/,
                                             double /*reference_canary_ns*/, const Context& /*context*/) const {
  throw Error(Code::kUnimplemented, Describe().name, "measures networks only, not what is done around them");
}

void CheckProfileCount(size_t artifacts, std::string_view device) {
  if (artifacts > 0 && artifacts <= kMostProfiled) return;
  throw Error(
      Code::kInvalidArgument, std::string(device),
      "can measure 1 to " + std::to_string(kMostProfiled) + " artifacts in one call, got " + std::to_string(artifacts));
}

void CheckBlobHash(const Artifact& artifact) {
  if (Sha256Hex(artifact.blob) == artifact.blob_sha256) return;
  throw Error(Code::kDataLoss, ArtifactName(artifact), "the model's bytes do not match their hash", "compile it again");
}

std::string ArtifactName(const Artifact& artifact) {
  return artifact.graph_key.empty() ? "artifact" : "artifact " + artifact.graph_key.substr(0, kShownKey);
}

}  // namespace hot
