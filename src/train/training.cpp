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
#include "train/trial_options.h"

namespace hot {
namespace {

bool IsBfloat16(const std::string& precision) {
  if (precision == "fp32" || precision == "bf16") return precision == "bf16";
  throw Error(Code::kInvalidArgument, "precision", "unknown precision \"" + precision + "\"", "known: fp32, bf16");
}

LearnerOptions MakeLearnerOptions(const TrialSpec& spec, at::Device device) {
  return {.optimizer = {.kind = ParseOptimizerKind(spec.optimizer), .weight_decay = spec.weight_decay},
          .clip_norm = spec.clip_norm,
          .batchnorm_momentum = spec.batchnorm_momentum,
          .ema = spec.ema,
          .bfloat16 = IsBfloat16(spec.precision),
          .device = device};
}

// Where the part ends that `freeze` names.
NodeId NamedEnd(const Graph& graph, const std::string& freeze) {
  if (freeze == "none") return 0;
  for (const Section& section : graph.sections()) {
    if (section.name == freeze && freeze != "head") return section.last;
    if (section.name == "head" && freeze == "backbone") return section.first;
  }
  throw Error(Code::kInvalidArgument, "train.freeze", "the network has no part \"" + freeze + "\"",
              "known: none, stem, its slots (slot1, ...), backbone");
}

// What is frozen: the named part, as far as it is inherited whole. A candidate's slot that `pretrained` lacks, or
// has in part, has to be trained.
NodeId FrozenEnd(const Graph& graph, const TrialSpec& spec) {
  const NodeId end = NamedEnd(graph, spec.freeze);
  if (end == 0 || spec.pretrained.empty()) return end;
  const Inheritance inheritance = *MakeInitialWeights(spec, graph).inheritance;
  for (const Section& section : graph.sections()) {
    const bool whole = std::ranges::count(inheritance.random, section.name) == 0 &&
                       std::ranges::count(inheritance.in_part, section.name) == 0;
    if (section.first < end && !whole) return section.first;
  }
  return end;
}

// The integer network that a trial fine-tunes, with the outputs that only the loss reads; nothing in a training in
// float.
std::optional<QuantizedNetwork> ReadStart(const fs::path& folder, const TrialSpec& spec, const Task& task) {
  if (spec.quantized_sha256.empty()) return std::nullopt;
  const fs::path stem = folder / kQuantizedStem;
  if (QuantizedKey(stem) != spec.quantized_sha256) {
    throw Error(Code::kFailedPrecondition, stem.string(), "is not the network that this fine-tuning was begun with",
                "delete the folder and run hot again");
  }
  const Graph graph = TrialGraph(spec, task);
  return ReadQuantized(stem, {.graph = FoldBatchNorm(graph, RandomWeights(graph, spec.seed)).graph, .weights = {}});
}

// Pictures that batch-norm statistics are taken from: for the stored weights (Wu and Johnson see no gain from more than
// some thousands), and for a point of the learning curve.
constexpr int kFinalStatistics = 8192, kCurveStatistics = 512;

constexpr const char* kDivergedHint = "choose a smaller train.hpo.lr, or more train.warmup_epochs";

}  // namespace

Training::Training(fs::path folder, const TrialSpec& spec, const TrialData& data, const std::atomic<bool>& cancelled,
                   at::Device device)
    : folder_(std::move(folder)),
      spec_(spec),
      data_(data),
      cancelled_(cancelled),
      identity_(Sha256Hex(ToJson(spec))),
      task_(MakeTask(spec.task)),
      quantized_(ReadStart(folder_, spec, *task_)),
      learner_(quantized_ ? quantized_->network.graph : TrialGraph(spec, *task_), *task_,
               MakeLearnerOptions(spec, device)),
      train_loader_(data.train, TrainLoaderOptions(spec, data.train, device)),
      val_loader_(data.val, ValLoaderOptions(spec, device)),
      schedule_(TrialSchedule(spec, train_loader_.batches_per_epoch())),
      frozen_end_(FrozenEnd(learner_.module().graph(), spec)) {
  if (quantized_) learner_.module().Quantize(quantized_->quantization);
  Resume();
}

void Training::ThrowIfCancelled() const {
  if (cancelled_.load(std::memory_order_relaxed)) {
    throw Error(Code::kCancelled, spec_.id, "interrupted", "run the same command to go on");
  }
}

bool Training::finished() const {
  return epochs_ >= spec_.epochs || (spec_.patience > 0 && best_.validations_since >= spec_.patience);
}

// As it is in `epoch`, counted from 0.
void Training::FreezeFor(int epoch) {
  const bool frozen = spec_.freeze_epochs == 0 || epoch < spec_.freeze_epochs;
  learner_.Freeze(frozen ? frozen_end_ : 0);
}

void Training::Resume() {
  const fs::path path = folder_ / "checkpoint.pt";
  if (Restore(path) || Restore(PreviousCheckpoint(path))) {
    std::printf("going on after epoch %d of %d\n", epochs_, spec_.epochs);
  } else if (quantized_) {
    learner_.Start(quantized_->network.weights);
  } else {
    const InitialWeights initial = MakeInitialWeights(spec_, module().graph());
    if (initial.inheritance) std::printf("%s\n", initial.inheritance->Summary().c_str());
    learner_.Start(initial.weights);
  }
  KeepEpochs(folder_ / "epochs.jsonl", epochs_);
}

bool Training::Restore(const fs::path& path) {
  if (!fs::exists(path)) return false;
  try {
    Checkpoint checkpoint = ReadCheckpoint(path);
    if (checkpoint.trial != identity_) throw Error(Code::kDataLoss, path.string(), "is of a trial with other settings");
    epochs_ = checkpoint.epochs;
    loss_ = checkpoint.loss;
    seconds_ = checkpoint.seconds;
    cpu_seconds_ = checkpoint.cpu_seconds;
    best_ = {
        .score = checkpoint.best_score,
        .epoch = checkpoint.best_epoch,
        .validations_since = checkpoint.validations_since,
        .weights = {.values = std::move(checkpoint.best_values), .statistics = std::move(checkpoint.best_statistics)}};
    learner_.Restore(std::move(checkpoint));
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::kDataLoss) throw;
    std::printf("warning: %s; it is not used\n", error.what());
    fs::remove(path);  // or it would become the "previous" one that a later fall-back reads
    return false;
  }
}

void Training::Save() const {
  Checkpoint checkpoint{.trial = identity_,
                        .epochs = epochs_,
                        .loss = loss_,
                        .seconds = seconds_,
                        .cpu_seconds = cpu_seconds_,
                        .best_score = best_.score,
                        .best_epoch = best_.epoch,
                        .validations_since = best_.validations_since,
                        .best_values = best_.weights.values,
                        .best_statistics = best_.weights.statistics};
  learner_.Save(checkpoint);
  WriteCheckpoint(folder_ / "checkpoint.pt", checkpoint);
}

double Training::Step(const Batch& batch, int index) {
  const Learner::Outcome outcome = learner_.Step(batch, LearningRate(schedule_, epochs_, index));
  if (outcome.finite()) return outcome.loss;
  const std::string what = std::isfinite(outcome.loss) ? "gradient" : "loss";
  throw Error(Code::kAborted,
              spec_.id + ": epoch " + std::to_string(epochs_ + 1) + ", batch " + std::to_string(index + 1),
              "the " + what + " is no longer a finite number", kDivergedHint);
}

double Training::TrainOn(int epoch) {
  FreezeFor(epoch);
  if (frozen_end_ > 0 && epoch > 0 && epoch == spec_.freeze_epochs) learner_.Restart();
  train_loader_.BeginEpoch(epoch);
  double total = 0;
  int batches = 0;
  for (Batch batch; train_loader_.Next(&batch); ++batches) {
    ThrowIfCancelled();
    total += Step(batch, batches);
  }
  if (batches == 0) throw Error(Code::kInvalidArgument, spec_.id, "the training split has no pictures");
  return total / batches;
}

void Training::RunEpoch() {
  const Stopwatch stopwatch;
  loss_ = TrainOn(epochs_);
  EpochRecord record{
      .epoch = epochs_ + 1, .loss = loss_, .lr = LearningRate(schedule_, epochs_, schedule_.batches - 1)};
  const bool last = record.epoch == spec_.epochs;
  if (!last && spec_.validate_every > 0 && record.epoch % spec_.validate_every == 0) record.val = ValidateInBetween();
  record.seconds = stopwatch.Seconds();
  seconds_ += record.seconds;
  if (cpu_seconds_) *cpu_seconds_ += stopwatch.CpuSeconds();
  ++epochs_;
  // The line first: one without a checkpoint is dropped at the next start, a checkpoint without its line would leave a
  // gap.
  AppendEpoch(folder_ / "epochs.jsonl", record);
  Save();
  std::printf("epoch %d of %d: loss %.4f, %.1f s\n", epochs_, spec_.epochs, loss_, record.seconds);
  std::fflush(stdout);
}

void Training::RecomputeStatistics(int pictures) {
  if (module().parameters().statistics().numel() == 0) return;  // batch norms are folded
  train_loader_.BeginEpoch(spec_.epochs);
  int batches = 0;
  for (Batch batch; batches * spec_.batch < pictures && train_loader_.Next(&batch); ++batches) {
    ThrowIfCancelled();
    learner_.AddStatistics(batch, batches);
  }
}

double Training::ValidateInBetween() {
  // Without an average the running statistics are those of the weights.
  const std::optional<Learner::Evaluated> evaluated =
      spec_.ema > 0 ? std::optional<Learner::Evaluated>(std::in_place, learner_) : std::nullopt;
  if (evaluated) RecomputeStatistics(kCurveStatistics);
  const double score = Validate();
  if (spec_.patience > 0) Remember(score, epochs_ + 1);
  return score;
}

void Training::Remember(double score, int epoch) {
  ++best_.validations_since;
  if (best_.score && score <= *best_.score) return;
  best_ = {.score = score, .epoch = epoch, .validations_since = 0, .weights = learner_.Take()};
}

double Training::Validate() {
  const std::vector<ScoredPicture> pictures =
      Predict(learner_.module(), *task_, data_.val_pictures, data_.val, val_loader_);
  return Score(pictures, spec_.score);
}

TrialResult Training::Leave(double score, const Stopwatch& stopwatch, const fs::path& file) const {
  TrialResult result{
      .val_score = score, .train_loss = loss_, .epochs = epochs_, .seconds = seconds_ + stopwatch.Seconds()};
  if (cpu_seconds_) result.cpu_seconds = *cpu_seconds_ + stopwatch.CpuSeconds();
  WriteFileAtomic(file, ToJson(result) + "\n");
  std::printf("%s on validation: %.4f\n", MetricName(spec_.score.metric).c_str(), score);
  std::fflush(stdout);
  return result;
}

TrialResult Training::Pause() {
  const Stopwatch stopwatch;
  const Learner::Evaluated evaluated(learner_);
  FreezeFor(std::max(0, epochs_ - 1));
  RecomputeStatistics(kCurveStatistics);
  const double score = Validate();
  ThrowIfCancelled();
  std::printf("paused behind epoch %d; ", epochs_);
  return Leave(score, stopwatch, TrialResultFile(folder_, epochs_));
}

TrialResult Training::Finish() {
  const Stopwatch stopwatch;
  const Learner::Evaluated evaluated(learner_);
  FreezeFor(std::max(0, epochs_ - 1));
  RecomputeStatistics(kFinalStatistics);
  double score = Validate();
  if (best_.score && *best_.score > score) {
    std::printf("the weights of epoch %d were better on validation and are kept\n", best_.epoch);
    learner_.Put(best_.weights);
    score = *best_.score;
  }
  ThrowIfCancelled();
  const Weights weights = module().Store();
  CheckWeights(module().graph(), weights, spec_.id);
  WriteSafetensors(folder_ / "weights.safetensors", weights, ConventionMetadata(spec_.task.convention));
  return Leave(score, stopwatch, TrialResultFile(folder_, 0));
}

}  // namespace hot
