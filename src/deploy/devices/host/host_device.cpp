#include "deploy/devices/host/host_device.h"

#include <algorithm>
#include <functional>

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

// Given the index and the loaded model, or null.
using MakeSubject = std::function<Subject(size_t, TimedSession*)>;
// `before`: what the artifact was loaded as before, if it was.
using LoadAgain = std::function<std::unique_ptr<TimedSession>(const Artifact&, const TimedSession* before)>;

// What one call measures, and the canary.
class Subjects {
 public:
  Subjects(ov::Core& core, int threads, std::span<const Artifact* const> artifacts, const LoadAgain& load,
           const MakeSubject& make_subject)
      : core_(core),
        artifacts_(artifacts),
        load_(load),
        make_subject_(make_subject),
        canary_(std::make_unique<OpenVinoModel>(core, CanaryOnnx(), Precision::kFp32, threads, "canary")),
        models_(artifacts.size()),
        subjects_(artifacts.size()),
        resident_bytes_(artifacts.size()) {
    canary_->FillInputs(0);
    canary_->Infer();  // what all networks share is there before the first one's memory is counted
  }

  std::vector<Measurement> InTurns(const MeasureOptions& options, double reference_ns, const Context& context) {
    for (size_t i = 0; i < subjects_.size(); ++i) Load(i, context);
    UseHugePages();
    return WithMemory(MeasureInterleaved(subjects_, run_canary_, options, reference_ns, context));
  }

  std::vector<Measurement> EachAlone(const MeasureOptions& options, double reference_ns, const Context& context) {
    return WithMemory(
        MeasureLoads(options, reference_ns, context,
                     [&](const MeasureOptions& share, double reference_of_first_ns, const Context& inner) {
                       return LoadAndMeasureAll(share, reference_of_first_ns, inner);
                     }));
  }

 private:
  void Load(size_t i, const Context& context) {
    context.ThrowIfCancelled();
    const ResidentPeak peak;
    if (artifacts_[i] != nullptr) models_[i] = load_(*artifacts_[i], models_[i].get());
    subjects_[i] = make_subject_(i, models_[i].get());
    subjects_[i]();  // allocates what is allocated late
    if (artifacts_[i] != nullptr) resident_bytes_[i] = std::max(resident_bytes_[i], peak.Bytes());
  }

  std::vector<Measurement> LoadAndMeasureAll(const MeasureOptions& options, double reference_ns,
                                             const Context& context) {
    canary_ = canary_->Again(core_);
    canary_->FillInputs(0);
    std::vector<Measurement> rows;
    for (size_t i = 0; i < subjects_.size(); ++i) {
      Load(i, context);
      UseHugePages();
      PartProgress progress(context.progress, static_cast<double>(i));
      const Context inner{context.clock, progress, context.cancelled};
      rows.push_back(MeasureInterleaved({&subjects_[i], 1}, run_canary_, options, reference_ns, inner).front());
      if (reference_ns <= 0) reference_ns = CanaryReference(rows.front());
    }
    return rows;
  }

  std::vector<Measurement> WithMemory(std::vector<Measurement> rows) const {
    for (size_t i = 0; i < rows.size(); ++i) rows[i].resident_bytes = resident_bytes_[i];
    return rows;
  }

  ov::Core& core_;
  std::span<const Artifact* const> artifacts_;
  const LoadAgain& load_;
  const MakeSubject& make_subject_;
  std::unique_ptr<OpenVinoModel> canary_;
  const Subject run_canary_ = [this] { canary_->Infer(); };
  std::vector<std::unique_ptr<TimedSession>> models_;
  std::vector<Subject> subjects_;
  std::vector<int64_t> resident_bytes_;
};

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
  std::vector<Measurement> Measure(std::span<const Artifact* const> artifacts, const MakeSubject& make_subject,
                                   const MeasureOptions& options, double reference_canary_ns,
                                   const Context& context) const {
    CheckProfileCount(artifacts.size(), "host");
    RefuseEmulated(DescribeEnvironment().json, "host");
    const ScopedPin pin(threads_);  // before anything is loaded: OpenVINO's own threads inherit it
    const LoadAgain load = [this](const Artifact& artifact, const TimedSession* before) {
      return LoadModel(artifact, before);
    };
    Subjects subjects(core_, threads_, artifacts, load, make_subject);
    return options.loads == 0 ? subjects.InTurns(options, reference_canary_ns, context)
                              : subjects.EachAlone(options, reference_canary_ns, context);
  }

  // What was loaded before has been checked.
  std::unique_ptr<TimedSession> LoadModel(const Artifact& artifact, const TimedSession* before = nullptr) const {
    const std::string where = ArtifactName(artifact);
    if (before == nullptr) Check(artifact, where);
    if (artifact.toolchain == "tvm") return LoadLibrary(artifact, where);
    if (before != nullptr) return dynamic_cast<const OpenVinoModel&>(*before).Again(core_);
    return std::make_unique<OpenVinoModel>(core_, artifact.blob, ParsePrecision(artifact.precision), threads_, where);
  }

  static void Check(const Artifact& artifact, const std::string& where) {
    if (artifact.toolchain != "openvino" && artifact.toolchain != "tvm") {
      throw Error(Code::kFailedPrecondition, where,
                  "made by the toolchain \"" + artifact.toolchain + "\", host runs openvino's and tvm's");
    }
    CheckBlobHash(artifact);
    if (artifact.toolchain == "openvino") CheckToolchainVersion(artifact, OpenVinoVersion(), where);
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
