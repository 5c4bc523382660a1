#include "pipeline/check.h"

#include "core/error.h"
#include "deploy/device.h"
#include "pipeline/bundle.h"
#include "pipeline/scoring.h"
#include "tasks/task.h"

namespace hot {
namespace {

constexpr int kRounds = 2000;
constexpr int kMinSamples = 64;

// Times in units of the canary's: what the machine does to both cancels out.
std::vector<double> Normalised(const Measurement& measurement) {
  std::vector<double> values;
  for (size_t i = 0; i < measurement.samples_ns.size(); ++i) {
    values.push_back(static_cast<double>(measurement.samples_ns[i]) / static_cast<double>(measurement.canary_ns.at(i)));
  }
  return values;
}

Dataset TestData(const Bundle& bundle, const fs::path& root) {
  DataSource source = bundle.test;
  if (!root.empty()) source.root = root;
  if (!fs::exists(source.root)) {
    throw Error(Code::kNotFound, source.root.string(), "the test data of this bundle are not there",
                "say where they are with --data DIR");
  }
  return ReadDataset(source);
}

void CheckSameTask(const Bundle& bundle, const Bundle& baseline) {
  const bool same = bundle.artifact.task == baseline.artifact.task &&
                    bundle.artifact.classes == baseline.artifact.classes &&
                    bundle.artifact.keypoints == baseline.artifact.keypoints;
  if (same) return;
  throw Error(Code::kInvalidArgument, "baseline", "is a network of another task or of other classes",
              "compare networks that do the same");
}

std::vector<ScoredPicture> Found(const Bundle& bundle, const Device& device, const Dataset& pictures) {
  const auto session = device.Load(bundle.artifact);
  return DetectPictures(*session, *MakeTask(bundle.trial.task), pictures, bundle.artifact.preprocessing);
}

}  // namespace

CheckResult JudgeCheck(const Measurement& latency, const Measurement& baseline_latency,
                       const std::vector<ScoredPicture>& found, const std::vector<ScoredPicture>& baseline_found,
                       const ScoreOptions& scoring, const CheckOptions& options) {
  CheckResult result{.latency = latency, .baseline_latency = baseline_latency};
  result.ratio = MedianRatio(Normalised(latency), Normalised(baseline_latency), kRounds, /*seed=*/1);
  result.slower = result.ratio.low > 1 + options.latency_margin;
  result.score_name = ScoreName(scoring);
  result.score = Score(found, scoring);
  result.baseline_score = Score(baseline_found, scoring);
  result.difference = PairedBootstrap(baseline_found, found, scoring, kRounds, /*seed=*/1);
  result.less_accurate = result.difference.high < -options.accuracy_margin;
  result.pictures = found.size();
  return result;
}

CheckResult CheckBundle(const CheckOptions& options, const Context& context) {
  const Bundle bundle = ReadBundle(options.bundle), baseline = ReadBundle(options.baseline);
  CheckSameTask(bundle, baseline);
  const Dataset pictures = TestData(bundle, options.data);
  const auto device = MakeDevice(options.device, bundle.artifact.threads);
  context.progress.Begin("accuracy", 2);
  const std::vector<ScoredPicture> found = Found(bundle, *device, pictures);
  context.ThrowIfCancelled();
  context.progress.Update(1, "baseline");
  const std::vector<ScoredPicture> baseline_found = Found(baseline, *device, pictures);
  context.ThrowIfCancelled();
  context.progress.Begin("latency", 2);
  MeasureOptions measuring;
  measuring.min_samples = kMinSamples;
  const Artifact* const artifacts[] = {&bundle.artifact, &baseline.artifact};
  const std::vector<Measurement> measured = device->Profile(artifacts, measuring, 0, context);
  return JudgeCheck(measured.at(0), measured.at(1), found, baseline_found, bundle.trial.score, options);
}

}  // namespace hot
