// Stage distill, of studies with `search.quality: distill`: the baseline of every width is trained, then every choice
// of every slot learns to imitate it, a trial a slot (train/distillation.h). Scores and weights: pipeline/distilled.h.
// Results lie in a folder named by a hash of all that they depend on, so that they are found again.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "config/value.h"
#include "core/hash.h"
#include "graph/costs.h"
#include "graph/safetensors.h"
#include "models/pretrained/tensor_file.h"
#include "pipeline/calibration_inputs.h"
#include "pipeline/distilled.h"
#include "pipeline/formats.h"
#include "pipeline/integer_loss.h"
#include "pipeline/stages.h"
#include "pipeline/tables.h"
#include "pipeline/train_progress.h"
#include "pipeline/trial_folder.h"
#include "pipeline/trial_search.h"
#include "pipeline/trial_space.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kPollInterval = std::chrono::milliseconds(50);
// Adam's, falling to zero. The blocks are shallow and their targets dense, so they bear more than a whole network.
constexpr double kLearningRate = 5e-3;

struct Job {
  TrialSpec spec;
  fs::path folder;
  double epoch_cost = 1;  // relative
};

// One width of the study.
struct WidthPlan {
  double width = 1;
  std::string folder;  // in the run folder
  Job teacher;
  std::vector<Job> slots;
};

// The baseline with the first hyper-parameters that the study's search would try.
Job TeacherJob(const Workspace& workspace, double width) {
  StudyNetwork network{.baseline = true, .width = width};
  network.choices = BaselineChoices(workspace.backbone(), width, workspace.precision());
  network.id = NetworkId(workspace, width, network.choices);
  const HyperSpace space = StudySpace(workspace.study());
  const auto seed = static_cast<uint64_t>(workspace.study().run.seed);
  const Graph graph = GraphOf(workspace, width, network.choices);
  return {.spec = MakeTrial(workspace, network,
                            StudySampler(workspace.study())->Suggest({.space = space, .seed = MixSeed(seed, 0)})),
          .folder = {},
          .epoch_cost = static_cast<double>(ComputeCosts(graph, Precision::kFp32).macs)};
}

Job SlotJob(const Workspace& workspace, const WidthPlan& plan, const ImitatedSlot& imitated) {
  const int slot = imitated.slot.index;
  Job job{.spec = plan.teacher.spec,
          .folder = workspace.folder() / plan.folder / ("slot" + std::to_string(slot)),
          .epoch_cost = imitated.macs};
  TrialSpec& spec = job.spec;
  spec.id = job.folder.filename().string();
  spec.pretrained = fs::absolute(plan.teacher.folder / "weights.safetensors").lexically_normal();
  spec.pretrained_sha256 = TensorFileKey(spec.pretrained);
  TrialSpec::Distill distill{.slot = slot, .choices = {}, .inherit = !workspace.study().model.pretrained.empty()};
  for (const Choice& choice : imitated.choices) distill.choices.push_back(DistilledName(choice));
  spec.distill = std::move(distill);
  spec.epochs = static_cast<int>(workspace.study().search.distill_epochs);
  spec.optimizer = "adam";
  spec.lr = kLearningRate;
  spec.schedule = "cosine";
  spec.weight_decay = spec.ema = 0;
  spec.warmup_epochs = spec.validate_every = spec.patience = 0;
  spec.precision = "fp32";
  spec.freeze = "none";
  return job;
}

WidthPlan PlanWidth(const Workspace& workspace, double width) {
  WidthPlan plan{.width = width, .teacher = TeacherJob(workspace, width)};
  const std::string key = Sha256Hex(ToJson(plan.teacher.spec) + AnnotationKey(LoadTrialData(plan.teacher.spec)));
  plan.folder = "distill/" + key.substr(0, 12);
  plan.teacher.folder = workspace.folder() / plan.folder / "teacher";
  return plan;
}

// Of the teacher, which is trained by now.
void PlanSlots(const Workspace& workspace, WidthPlan& plan) {
  for (const ImitatedSlot& slot : ImitatedSlots(workspace, plan.width)) {
    plan.slots.push_back(SlotJob(workspace, plan, slot));
  }
}

// Trains what is not finished. Throws Error when one could not be trained.
void TrainAll(const Workspace& workspace, const std::vector<Job>& jobs, const std::string& what) {
  const auto executor = StudyExecutor(workspace.study());
  const Context& context = workspace.context();
  double total = 0;
  size_t open = 0;
  for (const Job& job : jobs) {
    total += job.epoch_cost * job.spec.epochs;
    if (FinishedTrial(job.folder, job.spec)) continue;
    PrepareTrialFolder(job.folder, job.spec);
    executor->Start({.folder = job.folder});
    ++open;
  }
  context.progress.Begin("distill", total);
  while (open > 0) {
    context.ThrowIfCancelled();  // ~Executor ends the trainings; their checkpoints stay
    double done = 0;
    for (const Job& job : jobs) done += job.epoch_cost * FinishedEpochs(job.folder);
    context.progress.Update(done,
                            std::to_string(jobs.size() - open) + " of " + std::to_string(jobs.size()) + " " + what);
    for (const TrialOutcome& outcome : executor->Poll()) {
      if (!outcome.done) {
        throw Error(outcome.exit_code == 2 ? Code::kInvalidArgument : Code::kUnknown, outcome.folder.string(),
                    "could not be trained: " + outcome.error, "see log.txt there");
      }
      --open;
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

// What int8 costs each choice that learned (integer_loss.h); nothing where no slot has a format of its own.
using Losses = std::map<std::string, double>;
class LossMeter {
 public:
  LossMeter(const Workspace& workspace, size_t slots) : workspace_(workspace) {
    if (!MixesFormats(workspace.study())) return;
    pictures_ = CalibrationInputs(workspace.TrialTemplate(), kLossPictures);
    workspace.context().progress.Begin("distill", static_cast<double>(slots));
  }

  Losses Measure(const WidthPlan& plan, const Job& job) {
    Losses losses;
    if (pictures_.empty()) return losses;
    const Weights teacher = ReadSafetensors(plan.teacher.folder / "weights.safetensors");
    const Weights blocks = ReadSafetensors(job.folder / "weights.safetensors");
    const TaughtSlot taught = TeachSlot(workspace_, plan.width, job.spec.distill->slot, teacher, pictures_);
    for (const DistilledChoice& one : ReadDistilledChoices(TrialResultFile(job.folder, 0))) {
      if (!one.loss) continue;
      workspace_.context().ThrowIfCancelled();
      workspace_.context().progress.Update(slots_, "int8 loss of " + job.spec.id + ", " + one.choice);
      losses[one.choice] = IntegerLoss(workspace_, taught, one.choice, WeightsOf(one.choice, blocks), Precision::kInt8);
    }
    ++slots_;
    return losses;
  }

 private:
  static constexpr size_t kLossPictures = 16;

  const Workspace& workspace_;
  std::vector<Tensor> pictures_;
  double slots_ = 0;  // done
};

Json SlotJson(const Workspace& workspace, const WidthPlan& plan, const Job& job, const Losses& losses) {
  Json json{{"slot", job.spec.id}, {"choices", Json::array()}};
  const std::string own =
      DistilledName(Choice::Parse(plan.teacher.spec.slots.at(static_cast<size_t>(job.spec.distill->slot - 1))));
  for (const DistilledChoice& one : ReadDistilledChoices(TrialResultFile(job.folder, 0))) {
    const Json quality = one.loss ? Json(QualityFromLoss(*one.loss)) : Json();
    json["choices"].push_back({{"choice", one.choice}, {"quality", quality}});
    if (losses.contains(one.choice)) json["choices"].back()["int8_loss"] = losses.at(one.choice);
    if (one.loss) continue;
    const std::string place = "width " + FormatNumber(plan.width) + ", " + job.spec.id + ": " + one.choice;
    if (one.choice == own) {
      throw Error(Code::kOutOfRange, place, "the baseline's own choice did not learn: its loss was not finite",
                  "see log.txt in " + job.folder.string());
    }
    workspace.context().progress.Note("note: " + place + " did not learn (its loss was not finite) and is left out");
  }
  return json;
}

Json WidthJson(const Workspace& workspace, const WidthPlan& plan, LossMeter& meter) {
  const auto result = FinishedTrial(plan.teacher.folder, plan.teacher.spec);
  HOT_ASSERT(result);
  Json json{{"width", plan.width},
            {"folder", plan.folder},
            {"teacher", {{"trial", plan.teacher.spec.id}, {"val_score", result->val_score}}},
            {"slots", Json::array()}};
  for (const Job& job : plan.slots) json["slots"].push_back(SlotJson(workspace, plan, job, meter.Measure(plan, job)));
  return json;
}

}  // namespace

bool NeedsDistill(const Study& study) { return Distills(study); }

std::string DistillInputs(const Workspace& workspace) {
  std::string inputs = std::to_string(workspace.study().search.distill_epochs);
  if (MixesFormats(workspace.study())) inputs += " int8 loss " + StudySectionJson(workspace.study(), "quantize");
  for (const double width : TableWidths(workspace)) {
    const WidthPlan plan = PlanWidth(workspace, width);
    inputs += " " + FormatNumber(width) + " " + plan.folder;
  }
  return inputs;
}

std::string RunDistill(Workspace& workspace) {
  std::vector<WidthPlan> plans;
  std::vector<Job> teachers, slots;
  for (const double width : TableWidths(workspace)) plans.push_back(PlanWidth(workspace, width));
  for (const WidthPlan& plan : plans) teachers.push_back(plan.teacher);
  TrainAll(workspace, teachers, "baselines trained");
  for (WidthPlan& plan : plans) {
    PlanSlots(workspace, plan);
    slots.insert(slots.end(), plan.slots.begin(), plan.slots.end());
  }
  // The longest first: the last to end is then a short one.
  std::ranges::stable_sort(slots, std::greater<>(), &Job::epoch_cost);
  TrainAll(workspace, slots, "slots imitated");
  LossMeter meter(workspace, slots.size());
  Json widths = Json::array();
  for (const WidthPlan& plan : plans) widths.push_back(WidthJson(workspace, plan, meter));
  WriteRunJson(workspace, "distill.json", {{"version", 1}, {"widths", widths}});
  return std::to_string(slots.size()) + " slots, each choice imitates the trained baseline";
}

}  // namespace hot
