#include "pipeline/plan.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "graph/costs.h"
#include "pipeline/closed_loop.h"
#include "pipeline/distilled.h"
#include "pipeline/formats.h"
#include "pipeline/latencies.h"
#include "pipeline/networks.h"
#include "pipeline/stage.h"
#include "pipeline/tables.h"
#include "pipeline/train_progress.h"
#include "pipeline/trial_search.h"

namespace hot {
namespace {

// Guesses: what studies took on two cores at 128 to 192 pixels.
constexpr double kPart_s = 0.3, kWhole_s = 1;                        // OpenVINO and Vela: to compile and measure
constexpr double kTvmPart_s = 7, kTvmWhole_s = 7;                    // TVM compiles C code
constexpr double kQuantize_s = 6, kCompile_s = 3, kEvaluate_s = 10;  // a network

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", value < 10 ? 1 : 0, value);
  return text;
}

std::string Whole(double count) { return std::to_string(std::llround(count)); }

class Planner {
 public:
  Planner(const Workspace& workspace, std::optional<EpochTime> epoch)
      : workspace_(workspace), study_(workspace.study()), epoch_(std::move(epoch)) {}

  const std::optional<EpochTime>& epoch() const { return epoch_; }

  PlannedStage Plan(const Stage& stage) {
    PlannedStage planned{.stage = std::string(stage.name)};
    if (!open_ && IsFinished(workspace_, stage)) {
      planned.finished = true;
      planned.work = "up to date";
      return planned;
    }
    open_ = true;  // what comes behind it reads what it writes
    const std::pair<std::string_view, void (Planner::*)(PlannedStage&)> plans[] = {
        {"profile", &Planner::PlanProfile}, {"distill", &Planner::PlanDistill},  {"search", &Planner::PlanSearch},
        {"verify", &Planner::PlanVerify},   {"train", &Planner::PlanTrain},      {"quantize", &Planner::PlanQuantize},
        {"compile", &Planner::PlanCompile}, {"evaluate", &Planner::PlanEvaluate}};
    for (const auto& [name, plan] : plans) {
      if (stage.name == name) (this->*plan)(planned);
    }
    return planned;
  }

 private:
  bool IsTvm() const { return study_.target.toolchain == "tvm"; }

  void SetLatencies(PlannedStage& planned, double count, bool part) const {
    const auto known = SecondsALatency(workspace_, part);
    const double guess = part ? (IsTvm() ? kTvmPart_s : kPart_s) : (IsTvm() ? kTvmWhole_s : kWhole_s);
    planned.seconds = count * known.value_or(guess);
    planned.guess = !known && count > 0;
    if (count > 0) planned.basis = Number(known.value_or(guess)) + " s each" + (known ? " by the journal" : "");
  }

  void PlanProfile(PlannedStage& planned) {
    const std::vector<TablePlan> plans = PlanTables(workspace_);
    const std::vector<BorderPart> borders = PlanBorders(workspace_);
    const LatencyCount count = CountLatencies(workspace_, TableJobs(plans, borders));
    planned.work = std::to_string(count.to_measure) + " of " + std::to_string(count.all) + " rows to measure, " +
                   std::to_string(count.all - count.to_measure) + " in the journal";
    SetLatencies(planned, static_cast<double>(count.to_measure), /*part=*/true);
  }

  void PlanSearch(PlannedStage& planned) { planned.work = "an integer program for each objective and width"; }

  void PlanVerify(PlannedStage& planned) {
    networks_known_ = false;
    planned.work = "at most " + std::to_string(kMostNetworks) + " whole networks to measure";
    SetLatencies(planned, kMostNetworks, /*part=*/false);
  }

  // Trained networks: those that verify found or, before it, as many as it may find.
  size_t Networks() const {
    if (networks_known_) return StudyNetworks(workspace_, /*trained_only=*/true).size();
    const auto trained = study_.search.train_candidates > 0 ? study_.search.train_candidates : study_.search.candidates;
    return 1 + study_.search.objective.size() * study_.model.width.size() * static_cast<size_t>(trained);
  }

  std::string NetworksText() const { return (networks_known_ ? "" : "at most ") + std::to_string(Networks()); }

  const EpochTime& Epoch() {
    if (!epoch_) epoch_ = KnownEpochTime(workspace_);
    if (!epoch_) epoch_ = ProbeEpochTime(workspace_);
    return *epoch_;
  }

  std::string EpochText() { return Number(Epoch().seconds) + " s an epoch by " + Epoch().basis; }

  // Epochs of all trainings, when no budget ends them: a part of them is left behind at each comparison.
  double Epochs(double trainings, const SchedulerOptions& schedule) const {
    double epochs = 0;
    int before = 0;
    for (const int rung : schedule.rungs) {
      epochs += std::max(1.0, std::ceil(trainings)) * (rung - before);
      before = rung;
      trainings /= schedule.reduction;
    }
    return epochs;
  }

  double FinishedOf(const std::vector<StudyNetwork>& networks) const {
    double epochs = 0;
    std::error_code error;
    for (const auto& trial : fs::directory_iterator(workspace_.folder() / "trials", error)) {
      const std::string name = trial.path().filename().string();
      const bool ours =
          std::ranges::any_of(networks, [&](const StudyNetwork& n) { return name.starts_with(n.id + "-"); });
      if (ours) epochs += std::min<double>(FinishedEpochs(trial.path()), static_cast<double>(study_.train.epochs));
    }
    return epochs;
  }

  void PlanTrain(PlannedStage& planned) {
    const int slots = StudyExecutor(study_)->capacity();
    const SchedulerOptions schedule = StudySchedule(study_, slots);
    const double trainings = static_cast<double>(Networks() * TrialsPerNetwork(study_));
    double epochs = Epochs(trainings, schedule);
    if (schedule.budget_epochs) epochs = std::min(epochs, *schedule.budget_epochs);
    const double done = networks_known_ ? FinishedOf(StudyNetworks(workspace_, true)) : 0;
    planned.work = NetworksText() + " networks, " + Whole(trainings) + " trainings, " + Whole(epochs) + " epochs" +
                   (done > 0 ? ", of which " + Whole(done) + " are done" : "") + "; " + std::to_string(slots) +
                   " at a time";
    // The last trainings leave places empty: three trainings on two places take as long as four.
    const double rounds = std::ceil(trainings / slots) * slots / trainings;
    const bool halves = schedule.rungs.size() > 1;
    planned.seconds = std::max(0.0, epochs - done) * Epoch().seconds / slots * (halves ? 1 : rounds);
    if (schedule.budget_seconds) planned.seconds = std::min(planned.seconds, *schedule.budget_seconds);
    planned.training_seconds = planned.seconds;
    planned.basis = EpochText();
  }

  double BaselineMacs(double width) const {
    const auto choices = BaselineChoices(workspace_.backbone(), width, workspace_.precision());
    return static_cast<double>(ComputeCosts(GraphOf(workspace_, width, choices), Precision::kFp32).macs);
  }

  // Baselines are trained first, then slots, by MACs. A slot's choices learn side by side, while the trained network
  // runs forward, which is a third of a step of its training.
  void PlanDistill(PlannedStage& planned) {
    const double own = BaselineMacs(workspace_.baseline_width()), capacity = StudyExecutor(study_)->capacity();
    double baselines = 0, largest = 0, imitated = 0, slots = 0;
    const std::vector<double> widths = TableWidths(workspace_);
    for (const double width : widths) {
      const double macs = BaselineMacs(width) / own;
      baselines += macs;
      largest = std::max(largest, macs);
      for (const ImitatedSlot& slot : ImitatedSlots(workspace_, width)) {
        imitated += slot.macs / own + macs / 3;
        ++slots;
      }
    }
    planned.work = Whole(static_cast<double>(widths.size())) + " baselines to train, " + Whole(slots) +
                   " slots to imitate for " + std::to_string(study_.search.distill_epochs) + " epochs";
    planned.training_seconds =
        std::max(largest, baselines / capacity) * static_cast<double>(study_.train.epochs) * Epoch().seconds;
    planned.seconds = planned.training_seconds +
                      imitated / capacity * static_cast<double>(study_.search.distill_epochs) * Epoch().seconds;
    planned.basis = EpochText();
  }

  void PlanNetworks(PlannedStage& planned, double seconds_each, const std::string& what) const {
    planned.work = NetworksText() + " networks " + what;
    planned.seconds = static_cast<double>(Networks()) * seconds_each;
    planned.basis = Number(seconds_each) + " s each";
    planned.guess = true;
  }

  void PlanQuantize(PlannedStage& planned) { PlanNetworks(planned, kQuantize_s, "to turn into integers"); }
  void PlanCompile(PlannedStage& planned) { PlanNetworks(planned, kCompile_s, "to compile"); }
  void PlanEvaluate(PlannedStage& planned) { PlanNetworks(planned, kEvaluate_s, "to score and measure"); }

  const Workspace& workspace_;
  const Study& study_;
  bool open_ = false;  // a stage that has to run was met
  bool networks_known_ = true;
  std::optional<EpochTime> epoch_;
};

}  // namespace

double StudyPlan::seconds() const {
  double sum = 0;
  for (const PlannedStage& stage : stages) sum += stage.seconds;
  return sum;
}

StudyPlan PlanStudy(const Workspace& workspace, std::string_view last, std::optional<EpochTime> epoch) {
  Planner planner(workspace, std::move(epoch));
  StudyPlan plan;
  for (const Stage& stage : Stages()) {
    if (IsNeeded(workspace, stage)) plan.stages.push_back(planner.Plan(stage));
    if (stage.name == last) break;
  }
  plan.epoch = planner.epoch();
  return plan;
}

std::string PlanText(const StudyPlan& plan) {
  std::string text;
  char line[64];
  bool guessed = false;
  for (const PlannedStage& stage : plan.stages) {
    std::snprintf(line, sizeof line, "%-9s %-12s ", stage.stage.c_str(),
                  stage.finished ? "-" : FormatDuration(stage.seconds).c_str());
    text += line + stage.work;
    if (!stage.basis.empty()) text += " (" + stage.basis + (stage.guess ? ", a guess)" : ")");
    text += "\n";
    guessed = guessed || stage.guess;
  }
  std::snprintf(line, sizeof line, "%-9s %-12s ", "in all", FormatDuration(plan.seconds()).c_str());
  return text + line + (guessed ? "guesses are of two cores and small pictures, and may be far off\n" : "\n");
}

}  // namespace hot
