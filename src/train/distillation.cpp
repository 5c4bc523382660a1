#include "train/distillation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "core/clock.h"
#include "core/error.h"
#include "core/hash.h"
#include "graph/fold.h"
#include "graph/safetensors.h"
#include "models/pretrained/channels.h"
#include "train/epoch_log.h"
#include "train/torch_pch.h"
#include "train/trial_options.h"

namespace hot {
namespace {

// Pictures that batch-norm statistics are taken from.
constexpr int kStatistics = 512;

std::vector<Choice> ParseAll(const std::vector<std::string>& names) {
  std::vector<Choice> choices;
  for (const std::string& name : names) choices.push_back(Choice::Parse(name));
  return choices;
}

Graph TeacherGraph(const TrialSpec& spec, const Task& task) {
  const Graph whole = TrialGraph(spec, task);  // checks the number of slots
  const auto slots = static_cast<int>(spec.slots.size());
  if (spec.distill->slot < 1 || spec.distill->slot > slots) {
    throw Error(Code::kInvalidArgument, "distill.slot", "the network has no slot " + std::to_string(spec.distill->slot),
                "known: 1 to " + std::to_string(slots));
  }
  return BuildUpToSlot(TrialSpace(spec), spec.width, ParseAll(spec.slots), task, spec.distill->slot);
}

StudentOptions OptionsOf(const TrialSpec& spec, at::Device device) {
  return {.optimizer = {.kind = ParseOptimizerKind(spec.optimizer), .weight_decay = spec.weight_decay},
          .clip_norm = spec.clip_norm,
          .batchnorm_momentum = spec.batchnorm_momentum,
          .device = device};
}

// With what they can of `teacher`, or from nothing. Then not with the trial's seed: the teacher began with it, and the
// choice that is built like it would be ahead of all others.
std::vector<Student> MakeStudents(const TrialSpec& spec, const Task& task, const Weights& teacher, at::Device device) {
  const uint64_t seed = MixSeed(spec.seed, "students");
  const std::string section = "slot" + std::to_string(spec.distill->slot);
  const SearchSpace space = TrialSpace(spec);
  std::vector<Student> students;
  for (const std::string& name : spec.distill->choices) {
    Graph graph = BuildSlotPart(space, spec.width, task, spec.distill->slot, Choice::Parse(name));
    Weights start = RandomWeights(graph, seed);
    if (spec.distill->inherit) InheritChannels(graph, section, teacher, start);
    students.emplace_back(name, std::move(graph), start, OptionsOf(spec, device));
  }
  if (students.empty()) throw Error(Code::kInvalidArgument, "distill.choices", "there are none");
  return students;
}

}  // namespace

Distillation::Distillation(fs::path folder, const TrialSpec& spec, const TrialData& data,
                           const std::atomic<bool>& cancelled, at::Device device)
    : folder_(std::move(folder)),
      spec_(spec),
      cancelled_(cancelled),
      identity_(Sha256Hex(ToJson(spec))),
      task_(MakeTask(spec.task)),
      teacher_(TeacherGraph(spec, *task_), device),
      train_loader_(data.train, TrainLoaderOptions(spec, data.train, device)),
      val_loader_(data.val, ValLoaderOptions(spec, device)),
      schedule_(TrialSchedule(spec, train_loader_.batches_per_epoch())) {
  const InitialWeights trained = MakeInitialWeights(spec, TrialGraph(spec, *task_));
  if (trained.inheritance) std::printf("teacher: %s\n", trained.inheritance->Summary().c_str());
  teacher_.Load(trained.weights);
  students_ = MakeStudents(spec, *task_, trained.weights, device);
  MeasureTeacher();
  Resume();
}

void Distillation::ThrowIfCancelled() const {
  if (cancelled_.load(std::memory_order_relaxed)) {
    throw Error(Code::kCancelled, spec_.id, "interrupted", "run the same command to go on");
  }
}

Distillation::Pair Distillation::Teach(const Batch& batch) {
  const at::NoGradGuard no_grad;
  ThrowIfCancelled();
  const Shape input = task_->options().input;
  auto* pixels = const_cast<float*>(batch.images.data());  // only read
  const auto outputs = teacher_.Forward(at::from_blob(pixels, {batch.size, input.c, input.h, input.w}));
  return {outputs[0], outputs[1]};
}

void Distillation::MeasureTeacher() {
  const at::NoGradGuard no_grad;
  at::Tensor sum, squares;
  double count = 0;
  val_loader_.BeginEpoch(0);
  for (Batch batch; val_loader_.Next(&batch);) {
    const at::Tensor given = Teach(batch).given.to(at::kDouble);
    const at::Tensor batch_sum = given.sum({0, 2, 3}), batch_squares = given.square().sum({0, 2, 3});
    sum = sum.defined() ? sum + batch_sum : batch_sum;
    squares = squares.defined() ? squares + batch_squares : batch_squares;
    count += static_cast<double>(given.numel() / given.size(1));
  }
  if (count == 0) throw Error(Code::kInvalidArgument, spec_.id, "the validation split has no pictures");
  const at::Tensor variance = squares / count - (sum / count).square();
  constexpr double kSomething = 1e-12;  // a slot that always gives the same has no variance at all
  scale_ = 1 / variance.clamp_min(std::max(kLeastVariance * variance.mean().item<double>(), kSomething));
  scale_ = scale_.to(at::kFloat);
}

void Distillation::Resume() {
  const fs::path path = folder_ / "checkpoint.pt";
  if (Restore(path) || Restore(PreviousCheckpoint(path))) {
    std::printf("going on after epoch %d of %d\n", epochs_, spec_.epochs);
  }
  KeepEpochs(folder_ / "epochs.jsonl", epochs_);
}

bool Distillation::Restore(const fs::path& path) {
  if (!fs::exists(path)) return false;
  try {
    const Checkpoint checkpoint = ReadCheckpoint(path);
    if (checkpoint.trial != identity_) throw Error(Code::kDataLoss, path.string(), "is of a trial with other settings");
    Student::Cursor at;
    for (Student& student : students_) student.Restore(checkpoint, at);
    epochs_ = checkpoint.epochs;
    loss_ = checkpoint.loss;
    seconds_ = checkpoint.seconds;
    cpu_seconds_ = checkpoint.cpu_seconds;
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::kDataLoss) throw;
    std::printf("warning: %s; it is not used\n", error.what());
    fs::remove(path);
    return false;
  }
}

void Distillation::Save() const {
  Checkpoint checkpoint{
      .trial = identity_, .epochs = epochs_, .loss = loss_, .seconds = seconds_, .cpu_seconds = cpu_seconds_};
  for (const Student& student : students_) student.Append(checkpoint);
  WriteCheckpoint(folder_ / "checkpoint.pt", checkpoint);
}

double Distillation::TrainOn(int epoch) {
  train_loader_.BeginEpoch(epoch);
  double total = 0;
  int steps = 0, batches = 0;
  std::vector<Student*> learning;
  for (Student& student : students_) {
    if (!student.failed()) learning.push_back(&student);
  }
  for (Batch batch; train_loader_.Next(&batch); ++batches) {
    const Pair pair = Teach(batch);
    const double lr = LearningRate(schedule_, epoch, batches);
    std::erase_if(learning, [&](Student* student) {
      ThrowIfCancelled();
      const double loss = student->Step(pair.read, pair.given, scale_, lr);
      const bool failed = !std::isfinite(loss) || student->failed();
      if (failed) std::printf("%s: its loss is no longer finite; it is left out\n", student->choice().c_str());
      if (!failed) total += loss, ++steps;
      return failed;
    });
  }
  if (batches == 0) throw Error(Code::kInvalidArgument, spec_.id, "the training split has no pictures");
  return steps == 0 ? 0 : total / steps;
}

void Distillation::RunEpoch() {
  const Stopwatch stopwatch;
  loss_ = TrainOn(epochs_);
  const EpochRecord record{.epoch = epochs_ + 1,
                           .loss = loss_,
                           .lr = LearningRate(schedule_, epochs_, schedule_.batches - 1),
                           .seconds = stopwatch.Seconds(),
                           .val = {}};
  seconds_ += record.seconds;
  if (cpu_seconds_) *cpu_seconds_ += stopwatch.CpuSeconds();
  ++epochs_;
  AppendEpoch(folder_ / "epochs.jsonl", record);  // the line first, as Training does
  Save();
  std::printf("epoch %d of %d: loss %.4f, %.1f s\n", epochs_, spec_.epochs, loss_, record.seconds);
  std::fflush(stdout);
}

void Distillation::RecomputeStatistics() {
  train_loader_.BeginEpoch(spec_.epochs);
  int batches = 0;
  for (Batch batch; batches * spec_.batch < kStatistics && train_loader_.Next(&batch); ++batches) {
    const Pair pair = Teach(batch);
    for (Student& student : students_) student.AddStatistics(pair.read, batches);
  }
}

std::vector<DistilledChoice> Distillation::Validate() {
  std::vector<double> errors(students_.size(), 0.0);
  double pictures = 0;
  val_loader_.BeginEpoch(0);
  for (Batch batch; val_loader_.Next(&batch); pictures += batch.size) {
    const Pair pair = Teach(batch);
    for (size_t i = 0; i < students_.size(); ++i) {
      const at::Tensor y = students_[i].Evaluate(pair.read);
      errors[i] += batch.size * NormalisedError(y, pair.given, scale_).item<double>();
    }
  }
  std::vector<DistilledChoice> choices;
  for (size_t i = 0; i < students_.size(); ++i) {
    DistilledChoice& choice = choices.emplace_back(DistilledChoice{.choice = students_[i].choice(), .loss = {}});
    if (!students_[i].failed() && std::isfinite(errors[i])) choice.loss = errors[i] / pictures;
  }
  return choices;
}

std::vector<DistilledChoice> Distillation::Finish() {
  const Stopwatch stopwatch;
  RecomputeStatistics();
  const std::vector<DistilledChoice> choices = Validate();
  TrialResult result{.train_loss = loss_, .epochs = epochs_};
  Weights weights;
  int scored = 0;
  for (size_t i = 0; i < students_.size(); ++i) {
    std::printf("%s: %s\n", choices[i].choice.c_str(),
                choices[i].loss ? std::to_string(*choices[i].loss).c_str() : "left out");
    if (!choices[i].loss) continue;
    result.val_score += 1 - *choices[i].loss;
    ++scored;
    for (auto& [name, tensor] : students_[i].Store()) {
      weights[DistilledPrefix(choices[i].choice) + name] = std::move(tensor);
    }
  }
  result.val_score /= std::max(1, scored);
  result.seconds = seconds_ + stopwatch.Seconds();
  if (cpu_seconds_) result.cpu_seconds = *cpu_seconds_ + stopwatch.CpuSeconds();
  WriteSafetensors(folder_ / "weights.safetensors", weights);
  WriteFileAtomic(TrialResultFile(folder_, 0), ToJson(result, choices) + "\n");
  return choices;
}

}  // namespace hot
