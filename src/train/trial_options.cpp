#include "train/trial_options.h"

#include <algorithm>

namespace hot {
namespace {

LoaderOptions MakeLoaderOptions(const TrialSpec& spec, at::Device device) {
  LoaderOptions options{.batch = spec.batch, .threads = spec.loader_threads, .seed = spec.seed};
  if (!device.is_cpu()) options.threads = std::max(spec.loader_threads, spec.threads);  // they have nothing else to do
  options.cache_side =
      2 * std::max(spec.task.input.w, spec.task.input.h);  // crops still have more pixels than the input
  options.preprocessing = TaskPreprocessing(spec.task);
  return options;
}

}  // namespace

LoaderOptions TrainLoaderOptions(const TrialSpec& spec, const Dataset& dataset, at::Device device) {
  LoaderOptions options = MakeLoaderOptions(spec, device);
  options.augment = spec.augment;
  options.augment.mirror_pairs = spec.task.mirror_pairs;
  // A rest of a few pictures would make for noisy batch norm; the shuffle takes turns in what is left out.
  options.drop_last = dataset.samples.size() >= static_cast<size_t>(spec.batch);
  return options;
}

LoaderOptions ValLoaderOptions(const TrialSpec& spec, at::Device device) {
  LoaderOptions options = MakeLoaderOptions(spec, device);
  options.augment.enabled = false;
  options.shuffle = false;
  return options;
}

Schedule TrialSchedule(const TrialSpec& spec, int batches) {
  return {.kind = ParseScheduleKind(spec.schedule),
          .lr = spec.lr,
          .gamma = spec.gamma,
          .epochs = spec.epochs,
          .warmup_epochs = spec.warmup_epochs,
          .batches = batches};
}

}  // namespace hot
