#include "pipeline/init.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/error.h"
#include "core/text.h"
#include "pipeline/device_probe.h"
#include "pipeline/init_data.h"
#include "pipeline/plan.h"
#include "pipeline/target.h"
#include "tasks/metric.h"

namespace hot {
namespace {

// Wider networks first: the published width is what people know, but one that is trained for a few epochs only is worse
// than a narrower one that is trained to its end.
constexpr double kWidths[] = {1.0, 0.5, 0.35};
constexpr int64_t kFewEpochs = 40, kManyEpochs = 150, kLeastEpochs = 5;
constexpr int64_t kDraftEpochs = 100;  // that the first plan is made for; its time is in proportion
// Where in the room between the smallest network (0) and the baseline (1) the budget lies, and the least quality:
// strict enough to gain something, and loose enough that networks are left which know as much as the baseline.
constexpr double kLatencyShare = 0.6, kQualityShare = 0.4;
constexpr double kLeastRoom = 0.15;  // of the baseline's latency; with less, a budget would be noise
constexpr size_t kManyPictures = 1000;

struct Decisions {
  double width = kWidths[0];
  bool distill = true;  // search.quality
  int64_t epochs = kDraftEpochs;
  int64_t train_candidates = 2;  // of each objective
  std::optional<DeviceProbe> probe;
  bool estimated = false;
  std::optional<EpochTime> epoch;
  std::string epoch_reason;
};

std::string Text(const char* format, double a, double b = 0) {
  char text[128];
  std::snprintf(text, sizeof text, format, a, b);
  return text;
}

std::string NameOf(const InitRequest& request) {
  std::string name = request.name;
  if (name.empty()) name = fs::absolute(request.data).lexically_normal().filename().string();
  if (name.empty()) name = fs::absolute(request.data).lexically_normal().parent_path().filename().string();
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_' && c != '-') c = '-';
  }
  return name.empty() || name[0] == '.' ? "study" : name;
}

// Three significant digits.
double Rounded(double value) { return std::stod(Text("%.3g", value)); }

void DraftTarget(const InitRequest& request, Draft& draft) {
  Study::Target& target = draft.study.target;
  target.device = request.device;
  target.toolchain = request.toolchain;
  if (target.toolchain.empty()) target.toolchain = request.device.starts_with("ethos") ? "vela" : "openvino";
  draft.Say("target.device", "host: this machine; a board that runs hot serve: grpc://HOST:7070");
  target.token_file = request.token_file;
  target.ca_file = request.ca_file;
  if (!target.token_file.empty()) draft.Say("target.token_file");
  if (!target.ca_file.empty()) draft.Say("target.ca_file");
  draft.Say("target.toolchain");
  draft.Say("target.precision", "or fp32; hot doctor tells what each toolchain can do");
  draft.Say("target.threads", "of one inference");
}

void DraftBudgets(const Decisions& made, Draft& draft) {
  Study::Search& search = draft.study.search;
  if (!made.probe) {
    search.latency_ratio = 1.0;
    draft.Say("search.latency_ratio", "no slower than the baseline; or latency_ms");
    return;
  }
  const ProbedNetwork &baseline = made.probe->baseline, &smallest = made.probe->smallest;
  const double base_ms = baseline.latency_ns / 1e6, least_ms = smallest.latency_ns / 1e6;
  const std::string took = Text(made.estimated ? "estimated: %.3g ms for the baseline, %.3g for the smallest network"
                                               : "the baseline takes %.3g ms here, the smallest network %.3g",
                                base_ms, least_ms);
  if (least_ms > (1 - kLeastRoom) * base_ms) {
    search.latency_ratio = 1.0;
    draft.Say("search.latency_ratio", took);
  } else {
    search.latency_ms = Rounded(least_ms + kLatencyShare * (base_ms - least_ms));
    draft.Say("search.latency_ms", took);
  }
  // Without a least size the fastest network would be a useless one.
  if (search.latency_ms && search.quality == "macs") {
    const auto least_macs = static_cast<double>(smallest.macs), macs = static_cast<double>(baseline.macs);
    search.quality_min = Rounded((least_macs + kQualityShare * (macs - least_macs)) / 1e6);
    draft.Say("search.quality_min",
              Text("million MACs: the baseline has %.3g, the smallest network %.3g", macs / 1e6, least_macs / 1e6));
  }
  draft.lines.push_back(
      {"search.flash_kib", "weights; this is what the baseline has", std::to_string(baseline.weight_bytes / 1024)});
  draft.lines.push_back(
      {"search.ram_kib", "activations at their peak; likewise", std::to_string(baseline.peak_bytes / 1024)});
}

void DraftSearch(const Decisions& made, Draft& draft) {
  if (made.distill) {
    draft.study.search.quality = "distill";
    draft.study.search.objective = {"accuracy"};
    draft.Say("search.objective", "the best within the budgets");
    draft.Say("search.quality", "blocks learn to imitate the trained baseline; macs takes less time and says less");
  } else {
    draft.Say("search.objective", "the best within the budgets, and the fastest");
    draft.Say("search.quality", "by size; distill knows the pictures, but takes longer");
  }
  DraftBudgets(made, draft);
  draft.study.search.candidates = 4;
  draft.study.search.train_candidates = made.train_candidates;
  draft.Say("search.candidates", "found for each objective");
  draft.Say("search.train_candidates", "of them are trained, besides the baseline");
}

// What scores decide by, where the data allow it.
void DraftMetric(const InitData& data, Draft& draft) {
  Study::Train& train = draft.study.train;
  if (draft.study.model.task == "ssd") {
    train.metric = "ap50";
    draft.Say("train.metric", "or coco_ap, for which boxes must fit tightly");
  } else if (draft.study.model.task == "cpn") {
    train.metric = HasSigmas({}, data.train.keypoints.size()) ? "coco_ap" : "pck";
    draft.Say("train.metric", train.metric == "pck" ? "coco_ap needs data.oks_sigmas" : "by OKS; or pck");
  } else {
    train.metric = "top1";
    draft.Say("train.metric");
  }
}

void DraftAugmentation(const InitData& data, Draft& draft) {
  Study::Train& train = draft.study.train;
  draft.Say("train.flips", "none where left and right differ (text); both or all in pictures from above");
  if (draft.study.model.task != "ssd") return;
  const double factor = data.train.side.high / data.train.side.low;
  if (factor < 6) {
    train.zoom_out = factor < 2.5 ? 1.5 : 2;
    draft.Say("train.zoom_out", Text("large objects are only %.1f times as large as small ones", factor));
  }
}

void DraftTraining(const InitData& data, const Decisions& made, Draft& draft) {
  Study::Train& train = draft.study.train;
  train.epochs = made.epochs;
  train.batch = data.train.pictures < kManyPictures ? 16 : 32;
  train.warmup_epochs = std::min(train.warmup_epochs, made.epochs);
  train.schedule = "cosine";
  train.ema = 0.99;
  draft.Say("train.epochs", made.epoch_reason);
  draft.Say("train.batch");
  draft.Say("train.schedule");
  draft.Say("train.ema");
  DraftMetric(data, draft);
  DraftAugmentation(data, draft);
  train.hpo.lr.values = {made.width < 1 ? 3e-3 : 2e-3};
  draft.Say("train.hpo.method");
  draft.Say("train.hpo.lr", "more values, more trainings: [1e-3, 3e-3]");
}

Draft Compose(const InitRequest& request, const InitData& data, const Decisions& made) {
  Draft draft;
  Study& study = draft.study;
  study.name = NameOf(request);
  study.model.task = data.task;
  study.model.width = {made.width};
  draft.Say("name", "results: runs/" + study.name);
  draft.Say("model.backbone");
  draft.Say("model.width", made.width < 1 ? "1.0 is as published: more accurate, slower, longer to train" : "");
  draft.Say("model.task");
  DraftModel(data, draft);
  if (data.task == "cpn") {
    study.model.pyramid_channels = made.width < 1 ? 64 : 128;
    draft.Say("model.pyramid_channels");
  }
  DraftData(request, data, draft);
  DraftTarget(request, draft);
  DraftSearch(made, draft);
  DraftTraining(data, made, draft);
  return draft;
}

std::string FileOf(const Draft& draft) {
  return StudyFile(draft.study,
                   "Made by hot init: change what you know better. All keys: docs/formats/study.md.\n"
                   "How long it takes: hot optimize THIS_FILE --plan. Then the same without --plan.",
                   draft.lines);
}

// As `hot optimize` would read it. What it refuses came in with the request: a device that there is not.
Study Read(const Draft& draft) {
  const TempFolder folder;
  const fs::path file = folder.path() / "study.yaml";
  WriteFileAtomic(file, FileOf(draft));
  try {
    return ReadStudy(file, {});
  } catch (const Error& error) {
    throw Error(error.code(), "hot init", error.message(), error.hint());
  }
}

// Epochs that fit into the user's time with so many times the trainings in stage train, by a plan for kDraftEpochs.
int64_t EpochsThatFit(const StudyPlan& plan, double hours, double more_trainings) {
  double others = 0, an_epoch = 0;
  for (const PlannedStage& stage : plan.stages) {
    others += stage.seconds - stage.training_seconds;
    const double times = stage.stage == "train" ? more_trainings : 1;
    an_epoch += times * stage.training_seconds / static_cast<double>(kDraftEpochs);
  }
  if (!(an_epoch > 0)) return kManyEpochs;
  const double fit = std::clamp((hours * 3600 - others) / an_epoch, 0.0, 1e6);
  const auto epochs = static_cast<int64_t>(fit);
  return std::clamp(epochs > 20 ? epochs / 5 * 5 : epochs, kLeastEpochs, kManyEpochs);
}

std::string EpochReason(const EpochTime& epoch, double hours) {
  return "what fits into " + FormatDuration(hours * 3600) + Text(": an epoch takes %.2g s", epoch.seconds);
}

// For how long a network of this width can be trained, and how many. `epoch`: what is known of an epoch's time.
Decisions Fit(const InitRequest& request, const InitData& data, const Context& context, double width, bool distill,
              const std::optional<EpochTime>& epoch) {
  Decisions made{.width = width, .distill = distill, .train_candidates = distill ? 2 : 1};
  const Workspace workspace(Read(Compose(request, data, made)), context, Access::kLook);
  const StudyPlan plan = PlanStudy(workspace, "evaluate", epoch);
  made.epoch = plan.epoch;
  made.epochs = EpochsThatFit(plan, request.hours, 1);
  // Five trainings in place of three.
  if (EpochsThatFit(plan, request.hours, 5.0 / 3) >= kManyEpochs) made.train_candidates *= 2;
  if (made.epoch) made.epoch_reason = EpochReason(*made.epoch, request.hours);
  return made;
}

// The widest network that the time allows to train, with the better score of the two where it allows that, too.
Decisions FitToTime(const InitRequest& request, const InitData& data, const Context& context) {
  Decisions made;
  for (const double width : kWidths) {
    made = Fit(request, data, context, width, /*distill=*/true, std::nullopt);
    if (made.epochs >= kFewEpochs) break;
    made = Fit(request, data, context, width, /*distill=*/false, made.epoch);
    if (made.epochs >= kFewEpochs) break;
  }
  return made;
}

void FindDevice(const Workspace& workspace, const Decisions& made, std::vector<std::string>& findings) {
  const DeviceInfo device = workspace.device().Describe();
  std::string text = "device    " + DeviceLabel(device) + ", " + std::string(workspace.toolchain().name());
  if (made.probe) {
    text += Text(": baseline %.3g ms, smallest network %.3g ms", made.probe->baseline.latency_ns / 1e6,
                 made.probe->smallest.latency_ns / 1e6);
    text += device.estimates() ? " (" + device.latency_is() + ")" : ", measured for a moment";
  }
  findings.push_back(std::move(text));
}

}  // namespace

std::string GuessTask(const std::vector<DataLayout>& layouts) {
  const DataLayout& first = layouts.front();
  if (first.format == DataFormat::kImageFolders) return "classify";
  return first.format == DataFormat::kCoco && std::ranges::all_of(first.splits, IsKeypointFile) ? "cpn" : "ssd";
}

InitResult ProposeStudy(const InitRequest& request, const Context& context) {
  const InitData data = LookAtData(request, context);
  Decisions made = FitToTime(request, data, context);
  {
    const Workspace workspace(Read(Compose(request, data, made)), context, Access::kLook);
    made.estimated = workspace.device().Describe().estimates();
    if (workspace.device().Describe().present) made.probe = ProbeDevice(workspace);
  }
  Draft draft = Compose(request, data, made);
  const Workspace workspace(Read(draft), context, Access::kLook);
  FindDevice(workspace, made, draft.findings);
  const StudyPlan plan = PlanStudy(workspace, "evaluate", made.epoch);
  for (const std::string& note : workspace.notes()) draft.findings.push_back(note);
  draft.findings.push_back("time      about " + FormatDuration(plan.seconds()) + " for the whole study, " +
                           std::to_string(made.epochs) + " epochs a training");
  return {.study = workspace.study(),
          .file = FileOf(draft),
          .findings = std::move(draft.findings),
          .expected_seconds = plan.seconds()};
}

}  // namespace hot
