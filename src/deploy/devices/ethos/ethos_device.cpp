#include "deploy/devices/ethos/ethos_device.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/hash.h"
#include "deploy/toolchains/vela/litert_session.h"
#include "deploy/toolchains/vela/worker_file.h"

namespace hot {
namespace {

class EthosDevice : public Device {
 public:
  explicit EthosDevice(const EthosNpu& npu) : npu_(npu) {}

  DeviceInfo Describe() const override {
    const nlohmann::ordered_json json{
        {"npu", npu_.name}, {"system_config", npu_.system_config}, {"memory_mode", npu_.memory_mode}};
    return {.name = std::string(npu_.name),
            .fingerprint = Sha256Hex(json.dump()).substr(0, 16),
            .json = json.dump(),
            .estimator = "Vela",
            .accuracy_from = "LiteRT (reference)"};
  }

  std::unique_ptr<Session> Load(const Artifact& artifact) const override {
    const std::string where = Check(artifact);
    if (worker_ == nullptr) worker_ = std::make_shared<Bridge>();
    const auto versions = nlohmann::json::parse(worker_->Call("vela.check", "{}"));
    CheckToolchainVersion(artifact, versions.at("vela"), where);
    CheckCommandStream(artifact, where);
    return std::make_unique<LiteRtSession>(worker_, artifact.reference, where);
  }

  std::vector<Measurement> Profile(std::span<const Artifact* const> artifacts, const MeasureOptions&, double,
                                   const Context& context) const override {
    CheckProfileCount(artifacts.size(), npu_.name);
    std::vector<Measurement> rows;
    for (const Artifact* artifact : artifacts) {
      context.ThrowIfCancelled();
      Check(*artifact);
      rows.push_back(Estimated(artifact->estimate->latency_ns));
    }
    return rows;
  }

 private:
  // Returns what names the artifact in errors.
  std::string Check(const Artifact& artifact) const {
    const std::string where = ArtifactName(artifact);
    if (artifact.toolchain != "vela") {
      throw Error(Code::kFailedPrecondition, where,
                  "made by the toolchain \"" + artifact.toolchain + "\", " + std::string(npu_.name) + " runs vela's");
    }
    if (artifact.flags != EthosFlags(npu_)) {
      throw Error(Code::kFailedPrecondition, where,
                  "compiled for another NPU or system (" + artifact.flags + "), not for " + EthosFlags(npu_));
    }
    CheckBlobHash(artifact);
    if (Sha256Hex(artifact.reference) != artifact.reference_sha256)
      throw Error(Code::kDataLoss, where, "the reference's bytes do not match their hash", "compile it again");
    if (!artifact.estimate) throw Error(Code::kDataLoss, where, "it has no estimate", "compile it again");
    return where;
  }

  void CheckCommandStream(const Artifact& artifact, const std::string& where) const {
    const TempFolder folder;
    const fs::path file = folder.path() / "model_vela.tflite";
    WriteForWorker(file, artifact.blob);
    try {
      worker_->Call("vela.inspect", nlohmann::json{{"compiled", file.string()}}.dump());
    } catch (const Error& error) {
      throw Error(error.code(), where, error.message(), error.hint());
    }
  }

  const EthosNpu& npu_;
  mutable std::shared_ptr<Bridge> worker_;  // started by the first Load, shared with the sessions
};

}  // namespace

std::unique_ptr<Device> MakeEthosDevice(const EthosNpu& npu) { return std::make_unique<EthosDevice>(npu); }

}  // namespace hot
