#include "train/training.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "core/clock.h"
#include "core/error.h"
#include "core/hash.h"
#include "graph/fold.h"
#include "graph/safetensors.h"
#include "models/pretrained/pretrained.h"
#include "train/epoch_log.h"
#include "train/evaluation.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

std::span<float> Span(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

std::vector<float> Copy(const at::Tensor& tensor) { return {Span(tensor).begin(), Span(tensor).end()}; }

void Paste(const std::vector<float>& values, const at::Tensor& tensor) {
  HOT_ASSERT(values.size() == Span(tensor).size());
  std::copy(values.begin(), values.end(), Span(tensor).begin());
}

AdamOptions OptimizerOptions(const TrialSpec& spec, const FlatParameters& parameters) {
  if (spec.optimizer != "adam") {
    throw Error(Code::kInvalidArgument, "optimizer", "unknown optimizer \"" + spec.optimizer + "\"", "known: adam");
  }
  return {.weight_decay = spec.weight_decay, .decayed = parameters.decayed()};
}

LoaderOptions MakeLoaderOptions(const TrialSpec& spec) {
  LoaderOptions options{.batch = spec.batch, .threads = spec.loader_threads, .seed = spec.seed};
  options.cache_side =
      2 * std::max(spec.task.input.w, spec.task.input.h);  // crops still have more pixels than the input
  options.preprocessing = TaskPreprocessing(spec.task);
  return options;
}

LoaderOptions TrainLoader(const TrialSpec& spec, const Dataset& dataset) {
  LoaderOptions options = MakeLoaderOptions(spec);
  options.augment = spec.augment;
  // A rest of a few pictures would make for noisy batch norm; the shuffle takes turns in what is left out.
  options.drop_last = dataset.samples.size() >= static_cast<size_t>(spec.batch);
  return options;
}

LoaderOptions ValLoader(const TrialSpec& spec) {
  LoaderOptions options = MakeLoaderOptions(spec);
  options.augment.enabled = false;
  options.shuffle = false;
  return options;
}

Schedule MakeSchedule(const TrialSpec& spec, int batches) {
  return {.kind = ParseScheduleKind(spec.schedule),
          .lr = spec.lr,
          .gamma = spec.gamma,
          .epochs = spec.epochs,
          .warmup_epochs = spec.warmup_epochs,
          .batches = batches};
}

std::string Place(const TrialSpec& spec, int epoch, int batch) {
  return spec.id + ": epoch " + std::to_string(epoch + 1) + ", batch " + std::to_string(batch + 1);
}

// Pictures that batch-norm statistics are taken from: for the stored weights (Wu and Johnson see no gain from more than
// some thousands), and for a point of the learning curve.
constexpr int kFinalStatistics = 8192, kCurveStatistics = 512;

constexpr const char* kDivergedHint = "choose a smaller train.hpo.lr, or more train.warmup_epochs";

}  // namespace

Training::Training(fs::path folder, const TrialSpec& spec, const TrialData& data, const std::atomic<bool>& cancelled)
    : folder_(std::move(folder)),
      spec_(spec),
      data_(data),
      cancelled_(cancelled),
      identity_(Sha256Hex(ToJson(spec))),
      task_(MakeTask(spec.task)),
      module_(TrialGraph(spec, *task_)),
      objective_(MakeObjective(*task_, module_.graph())),
      adam_(module_.parameters().values().numel(), OptimizerOptions(spec, module_.parameters())),
      average_(spec.ema),
      train_loader_(data.train, TrainLoader(spec, data.train)),
      val_loader_(data.val, ValLoader(spec)),
      schedule_(MakeSchedule(spec, train_loader_.batches_per_epoch())) {
  Resume();
}

void Training::ThrowIfCancelled() const {
  if (cancelled_.load(std::memory_order_relaxed)) {
    throw Error(Code::kCancelled, spec_.id, "interrupted", "run the same command to go on");
  }
}

void Training::Resume() {
  const fs::path path = folder_ / "checkpoint.pt";
  if (Restore(path) || Restore(PreviousCheckpoint(path))) {
    std::printf("going on after epoch %d of %d\n", epochs_, spec_.epochs);
  } else {
    const InitialWeights initial = MakeInitialWeights(spec_, module_.graph());
    if (!initial.summary.empty()) std::printf("%s\n", initial.summary.c_str());
    module_.Load(initial.weights);
    average_.Start(Span(module_.parameters().values()));
  }
  KeepEpochs(folder_ / "epochs.jsonl", epochs_);
}

bool Training::Restore(const fs::path& path) {
  if (!fs::exists(path)) return false;
  const FlatParameters& parameters = module_.parameters();
  try {
    Checkpoint checkpoint = ReadCheckpoint(path);
    if (checkpoint.trial != identity_) throw Error(Code::kDataLoss, path.string(), "is of a trial with other settings");
    Paste(checkpoint.values, parameters.values());
    Paste(checkpoint.statistics, parameters.statistics());
    adam_.first_moment() = std::move(checkpoint.first_moment);
    adam_.second_moment() = std::move(checkpoint.second_moment);
    adam_.set_steps(checkpoint.steps);
    average_.values() = std::move(checkpoint.average);
    epochs_ = checkpoint.epochs;
    loss_ = checkpoint.loss;
    seconds_ = checkpoint.seconds;
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::kDataLoss) throw;
    std::printf("warning: %s; it is not used\n", error.what());
    fs::remove(path);  // or it would become the "previous" one that a later fall-back reads
    return false;
  }
}

void Training::Save() const {
  const FlatParameters& parameters = module_.parameters();
  Adam adam = adam_;
  WriteCheckpoint(folder_ / "checkpoint.pt", {.trial = identity_,
                                              .epochs = epochs_,
                                              .steps = adam_.steps(),
                                              .loss = loss_,
                                              .seconds = seconds_,
                                              .values = Copy(parameters.values()),
                                              .statistics = Copy(parameters.statistics()),
                                              .first_moment = std::move(adam.first_moment()),
                                              .second_moment = std::move(adam.second_moment()),
                                              .average = average_.values()});
}

at::Tensor Training::Images(Batch& batch) const {
  const Shape& input = spec_.task.input;
  return at::from_blob(batch.images.data(), {batch.size, input.c, input.h, input.w});
}

double Training::Step(Batch& batch, int index) {
  FlatParameters& parameters = module_.parameters();
  parameters.gradients().zero_();
  const at::Tensor loss = objective_->Loss(module_.Forward(Images(batch)), batch.objects);
  const auto value = loss.item<double>();
  if (!std::isfinite(value)) {
    throw Error(Code::kAborted, Place(spec_, epochs_, index), "the loss is no longer a finite number", kDivergedHint);
  }
  loss.backward();
  const double lr = LearningRate(schedule_, epochs_, index);
  const double norm = adam_.Step(Span(parameters.values()), Span(parameters.gradients()), lr, spec_.clip_norm);
  if (!std::isfinite(norm)) {
    throw Error(Code::kAborted, Place(spec_, epochs_, index), "the gradient is no longer finite", kDivergedHint);
  }
  average_.Update(Span(parameters.values()), adam_.steps());
  return value;
}

void Training::RunEpoch() {
  const int64_t start_ns = SystemClock().NowNs();
  module_.Train(spec_.batchnorm_momentum);
  train_loader_.BeginEpoch(epochs_);
  double total = 0;
  int batches = 0;
  for (Batch batch; train_loader_.Next(&batch); ++batches) {
    ThrowIfCancelled();
    total += Step(batch, batches);
  }
  if (batches == 0) throw Error(Code::kInvalidArgument, spec_.id, "the training split has no pictures");
  loss_ = total / batches;
  EpochRecord record{.epoch = epochs_ + 1, .loss = loss_, .lr = LearningRate(schedule_, epochs_, batches - 1)};
  const bool last = record.epoch == spec_.epochs;
  if (!last && spec_.validate_every > 0 && record.epoch % spec_.validate_every == 0) record.val = ValidateInBetween();
  record.seconds = static_cast<double>(SystemClock().NowNs() - start_ns) * 1e-9;
  seconds_ += record.seconds;
  ++epochs_;
  // The line first: one without a checkpoint is dropped at the next start, a checkpoint without its line would leave a
  // gap.
  AppendEpoch(folder_ / "epochs.jsonl", record);
  Save();
  std::printf("epoch %d of %d: loss %.4f, %.1f s\n", epochs_, spec_.epochs, loss_, record.seconds);
  std::fflush(stdout);
}

// Averages of the batch statistics under the present weights, instead of a running average that lags behind them
// (Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021, section 3).
void Training::RecomputeStatistics(int pictures) {
  const at::NoGradGuard no_grad;
  train_loader_.BeginEpoch(spec_.epochs);
  int batches = 0;
  for (Batch batch; batches * spec_.batch < pictures && train_loader_.Next(&batch);) {
    ThrowIfCancelled();
    module_.Train(1.0 / ++batches);
    module_.Forward(Images(batch));
  }
}

void Training::UseAverage() {
  if (average_.enabled()) Paste(average_.values(), module_.parameters().values());
}

// The running statistics belong to the trained weights, not to their average.
double Training::ValidateInBetween() {
  if (!average_.enabled()) return Validate();
  const FlatParameters& parameters = module_.parameters();
  const std::vector<float> values = Copy(parameters.values()), statistics = Copy(parameters.statistics());
  UseAverage();
  RecomputeStatistics(kCurveStatistics);
  const double score = Validate();
  Paste(values, parameters.values());
  Paste(statistics, parameters.statistics());
  return score;
}

double Training::Validate() {
  const std::vector<ScoredPicture> pictures = Predict(module_, *task_, data_.val, val_loader_);
  module_.Train(spec_.batchnorm_momentum);
  return Score(pictures, spec_.score);
}

TrialResult Training::Finish() {
  const int64_t start_ns = SystemClock().NowNs();
  UseAverage();
  RecomputeStatistics(kFinalStatistics);
  const double score = Validate();
  ThrowIfCancelled();
  const Weights weights = module_.Store();
  CheckWeights(module_.graph(), weights, spec_.id);
  WriteSafetensors(folder_ / "weights.safetensors", weights, ConventionMetadata(spec_.task.convention));
  const double seconds = static_cast<double>(SystemClock().NowNs() - start_ns) * 1e-9;
  const TrialResult result{.val_score = score, .train_loss = loss_, .epochs = epochs_, .seconds = seconds_ + seconds};
  WriteFileAtomic(folder_ / "result.json", ToJson(result) + "\n");
  std::printf("%s on validation: %.4f\n", MetricName(spec_.score.metric).c_str(), score);
  std::fflush(stdout);
  return result;
}

}  // namespace hot
