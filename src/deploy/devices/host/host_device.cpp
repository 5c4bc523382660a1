#include "deploy/devices/host/host_device.h"

#include "core/error.h"
#include "core/part_progress.h"
#include "deploy/devices/host/canary.h"
#include "deploy/toolchains/openvino/openvino_model.h"
#include "deploy/toolchains/tvm/tvm_model.h"
#include "measure/emulation.h"
#include "measure/huge_pages.h"
#include "measure/resident_memory.h"

namespace hot {
namespace {

class HostDevice : public Device {
 public:
  explicit HostDevice(int threads) : threads_(threads) {}

  DeviceInfo Describe() const override {
    const Environment environment = DescribeEnvironment();
    return {.name = "host", .fingerprint = environment.fingerprint, .json = environment.json};
  }

  std::unique_ptr<Session> Load(const Artifact& artifact) const override { return LoadModel(artifact); }

  std::vector<Measurement> Profile(std::span<const Artifact* const> artifacts, const MeasureOptions& options,
                                   double reference_canary_ns, const Context& context) const override {
    return Measure(
        artifacts,
        [](size_t i, TimedSession* model) {
          model->FillInputs(i + 1);
          return Subject([model] { model->Infer(); });
        },
        options, reference_canary_ns, context);
  }

  bool runs_work() const override { return true; }

  std::vector<Measurement> ProfileWork(std::span<const Work> work, const MeasureOptions& options,
                                       double reference_canary_ns, const Context& context) const override {
    std::vector<const Artifact*> artifacts;
    for (const Work& one : work) artifacts.push_back(one.artifact);
    return Measure(
        artifacts,
        [work](size_t i, TimedSession* model) { return Subject([run = &work[i].run, model] { (*run)(model); }); },
        options, reference_canary_ns, context);
  }

 private:
  // `make_subject` is given the index and the loaded model, or null.
  template <typename MakeSubject>
  std::vector<Measurement> Measure(std::span<const Artifact* const> artifacts, const MakeSubject& make_subject,
                                   const MeasureOptions& options, double reference_canary_ns,
                                   const Context& context) const {
    CheckProfileCount(artifacts.size(), "host");
    RefuseEmulated(DescribeEnvironment().json, "host");
    const ScopedPin pin(threads_);  // before anything is loaded: OpenVINO's own threads inherit it
    auto canary = std::make_unique<OpenVinoModel>(core_, CanaryOnnx(), Precision::kFp32, threads_, "canary");
    canary->FillInputs(0);
    canary->Infer();  // what all networks share is there before the first one's memory is counted
    const Subject run_canary = [&] { canary->Infer(); };
    std::vector<std::unique_ptr<TimedSession>> models(artifacts.size());
    std::vector<Subject> subjects(artifacts.size());
    std::vector<int64_t> resident_bytes(artifacts.size());
    const auto load = [&](size_t i) {
      context.ThrowIfCancelled();
      const ResidentPeak peak;
      if (artifacts[i] != nullptr) models[i] = LoadModel(*artifacts[i], models[i].get());
      subjects[i] = make_subject(i, models[i].get());
      subjects[i]();  // allocates what is allocated late
      if (artifacts[i] != nullptr) resident_bytes[i] = std::max(resident_bytes[i], peak.Bytes());
    };
    const auto in_turns = [&] {
      for (size_t i = 0; i < artifacts.size(); ++i) load(i);
      UseHugePages();
      return MeasureInterleaved(subjects, run_canary, options, reference_canary_ns, context);
    };
    const auto each_alone = [&](const MeasureOptions& share, double reference_ns, const Context& inner) {
      canary = canary->Again(core_);
      canary->FillInputs(0);
      std::vector<Measurement> rows;
      for (size_t i = 0; i < artifacts.size(); ++i) {
        load(i);
        UseHugePages();
        PartProgress progress(inner.progress, static_cast<double>(i));
        rows.push_back(MeasureInterleaved({&subjects[i], 1}, run_canary, share, reference_ns,
                                          {inner.clock, progress, inner.cancelled})
                           .front());
        if (reference_ns <= 0) reference_ns = CanaryReference(rows.front());
      }
      return rows;
    };
    std::vector<Measurement> measured =
        options.loads == 0 ? in_turns() : MeasureLoads(options, reference_canary_ns, context, each_alone);
    for (size_t i = 0; i < measured.size(); ++i) measured[i].resident_bytes = resident_bytes[i];
    return measured;
  }

  // `before`: what the artifact was loaded as before, if it was.
  std::unique_ptr<TimedSession> LoadModel(const Artifact& artifact, const TimedSession* before = nullptr) const {
    const std::string where = ArtifactName(artifact);
    if (artifact.toolchain != "openvino" && artifact.toolchain != "tvm") {
      throw Error(Code::kFailedPrecondition, where,
                  "made by the toolchain \"" + artifact.toolchain + "\", host runs openvino's and tvm's");
    }
    CheckBlobHash(artifact);
    if (artifact.toolchain == "tvm") return LoadLibrary(artifact, where);
    CheckToolchainVersion(artifact, OpenVinoVersion(), where);
    if (before != nullptr) return dynamic_cast<const OpenVinoModel&>(*before).Again(core_);
    return std::make_unique<OpenVinoModel>(core_, artifact.blob, ParsePrecision(artifact.precision), threads_, where);
  }

  // Machine code computes the same whatever TVM is installed, but its manifest must be the one it was made with.
  static std::unique_ptr<TimedSession> LoadLibrary(const Artifact& artifact, const std::string& where) {
    auto model = std::make_unique<TvmModel>(artifact.blob, where);
    const std::string& compiler = model->description().compiler;
    if (!artifact.toolchain_version.empty() && artifact.toolchain_version != compiler) {
      throw Error(Code::kFailedPrecondition, where,
                  "was made by tvm " + artifact.toolchain_version + " says its manifest, by tvm " + compiler +
                      " says its library",
                  "compile it again");
    }
    return model;
  }

  int threads_;
  mutable ov::Core core_;  // compiling is not const in OpenVINO's interface
};

}  // namespace

std::unique_ptr<Device> MakeHostDevice(int threads) { return std::make_unique<HostDevice>(threads); }

}  // namespace hot
