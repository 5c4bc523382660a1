#include "config/study.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "config/backbone_rules.h"
#include "config/study_reader.h"
#include "config/task_rules.h"
#include "config/value.h"
#include "core/error.h"
#include "core/text.h"

namespace hot {
namespace {

// "search.latency_ms: " unless the place ("--set search.latency_ms") says so already.
[[noreturn]] void FailAt(const StudyReader& reader, const std::string& name, const std::string& message,
                         const std::string& hint = "") {
  const auto found = reader.places().find(name);
  const std::string place = found == reader.places().end() ? reader.file() : found->second;
  const std::string prefix = place.starts_with("--set ") ? "" : name + ": ";
  throw Error(Code::kInvalidArgument, place, prefix + message, hint);
}

void CheckRequired(const StudyReader& reader) {
  if (!reader.places().contains("name")) FailAt(reader, "name", "missing", "add a line 'name: my-study'");
  if (!reader.places().contains("data.root")) {
    FailAt(reader, "data.root", "missing", "name the folder of the data set here or with --set data.root=DIR");
  }
}

void CheckFolder(const StudyReader& reader, const std::string& key, const std::string& root) {
  std::error_code error;
  if (fs::is_directory(root, error)) return;
  const std::string problem = fs::exists(root, error) ? "\" is not a folder" : "\" does not exist";
  FailAt(reader, key, "\"" + root + problem, "relative to the working directory; --set " + key + "=DIR names another");
}

void CheckBaselineWidth(StudyReader& reader) {
  Study::Model& model = reader.study().model;
  const auto listed = [&](double width) { return std::ranges::find(model.width, width) != model.width.end(); };
  if (!model.baseline_width) {
    if (model.width.size() > 1 && !listed(1.0)) {
      FailAt(reader, "model.width", "several widths without 1.0 leave no baseline",
             "set model.baseline_width to one of them");
    }
    model.baseline_width = model.width.size() == 1 ? model.width[0] : 1.0;
  }
  if (!listed(*model.baseline_width)) {
    FailAt(reader, "model.baseline_width", FormatNumber(*model.baseline_width) + " is not one of model.width");
  }
}

void CheckChannels(StudyReader& reader, const std::string& name, const std::vector<double>& values) {
  if (values.empty() || values.size() == 3) return;
  FailAt(reader, name, "expected red, green and blue, got " + std::to_string(values.size()) + " numbers");
}

// "slot3" -> 3; 0 where it is no name of a slot.
int SlotNumber(const std::string& name) {
  int number = 0;
  const char* const end = name.data() + name.size();
  const auto [last, error] = std::from_chars(name.data() + std::min<size_t>(4, name.size()), end, number);
  return name.starts_with("slot") && error == std::errc() && last == end ? number : 0;
}

void CheckSlot(StudyReader& reader, const std::string& key, const std::string& name) {
  const int number = SlotNumber(name), slots = SlotCount(reader.study()).value_or(number);
  if (number >= 1 && number <= slots) return;
  FailAt(reader, key, reader.study().model.backbone + " has no " + name,
         "its slots: slot1 to slot" + std::to_string(slots) + " (model.slots: " + reader.study().model.slots + ")");
}

void CheckSlots(StudyReader& reader) {
  const Study& study = reader.study();
  if (study.train.freeze.starts_with("slot")) CheckSlot(reader, "train.freeze", study.train.freeze);
  for (const Space::Slot& slot : study.model.space.slots) {
    if (slot.name != "default") CheckSlot(reader, "model.space." + slot.name, slot.name);
  }
}

void CheckPretrained(StudyReader& reader) {
  const Study::Model& model = reader.study().model;
  CheckChannels(reader, "model.mean", model.mean);
  CheckChannels(reader, "model.stddev", model.stddev);
  std::error_code error;
  if (model.pretrained.empty() || fs::exists(model.pretrained, error)) return;
  FailAt(reader, "model.pretrained", "\"" + model.pretrained + "\" does not exist",
         "relative to the working directory; --set model.pretrained=FILE names another");
}

void CheckAnchors(StudyReader& reader) {
  const Study::Model& model = reader.study().model;
  if (model.finest_stride != 8 && model.finest_stride != 16) {
    FailAt(reader, "model.finest_stride", "expected 8 or 16, got " + std::to_string(model.finest_stride));
  }
  if (model.anchor_min_scale < model.anchor_max_scale) return;
  const bool min_given = reader.places().contains("model.anchor_min_scale");
  FailAt(reader, min_given ? "model.anchor_min_scale" : "model.anchor_max_scale",
         "the smallest anchors (" + FormatNumber(model.anchor_min_scale) + ") must be smaller than the largest (" +
             FormatNumber(model.anchor_max_scale) + ")");
}

// The pair of formats that one artifact can hold.
void CheckFormats(StudyReader& reader) {
  const Study::Target& target = reader.study().target;
  if (reader.study().search.precision == "network") return;
  if (target.toolchain != "openvino") {
    FailAt(reader, "search.precision", "slot is not for target.toolchain " + target.toolchain,
           "openvino mixes formats");
  }
  const bool both = target.precision.front() == "int8" && std::ranges::count(target.precision, "fp32") > 0;
  if (both) return;
  FailAt(reader, "search.precision", "slot needs the formats to choose from, int8 and fp32, int8 first",
         "target.precision: [int8, fp32]");
}

void CheckSearch(StudyReader& reader) {
  const Study::Search& search = reader.study().search;
  if (search.latency_ms && search.latency_ratio) {
    FailAt(reader, "search.latency_ratio", "not together with search.latency_ms",
           "keep one; --set search.latency_ms= takes the other away");
  }
  if (search.quality == "distill" && search.quality_min.value_or(0) > 100) {
    FailAt(reader, "search.quality_min", "more than 100 %, which is what it is in with search.quality distill");
  }
  if (search.train_candidates > search.candidates) {
    FailAt(reader, "search.train_candidates",
           std::to_string(search.train_candidates) + " is more than search.candidates (" +
               std::to_string(search.candidates) + ")");
  }
}

void CheckTrain(StudyReader& reader) {
  const Study::Train& train = reader.study().train;
  if (train.warmup_epochs <= train.epochs) return;
  const bool given = reader.places().contains("train.warmup_epochs");
  FailAt(
      reader, given ? "train.warmup_epochs" : "train.epochs",
      "warm-up of " + std::to_string(train.warmup_epochs) + " epochs in a training of " + std::to_string(train.epochs));
}

void CheckQuantize(StudyReader& reader) {
  const Study::Quantize& quantize = reader.study().quantize;
  if (quantize.finetune_epochs == 0 || quantize.max_drop) return;
  FailAt(reader, "quantize.finetune_epochs", "needs quantize.max_drop: only networks that lose more are trained on");
}

// That a value is among those that the task can do with.
void CheckForTask(const StudyReader& reader, const TaskRules& task, const std::string& name, const std::string& value,
                  const std::vector<std::string>& possible) {
  if (std::ranges::find(possible, value) != possible.end()) return;
  FailAt(reader, name, "\"" + value + "\" is not for model.task " + task.name,
         (possible.size() > 1 ? "one of " : "") + JoinNames(possible));
}

void FillTaskDefaults(StudyReader& reader) {
  Study& study = reader.study();
  const TaskRules& task = RulesOf(study);
  const auto given = [&](const char* name) { return reader.places().contains(name); };
  if (!given("model.input")) study.model.input = task.input;
  if (!given("data.format")) study.data.format = task.formats.front();
  if (!given("train.metric")) study.train.metric = task.metrics.front();
  if (!given("train.zoom_out")) study.train.zoom_out = task.zoom_out;
}

void CheckTask(StudyReader& reader) {
  const Study& study = reader.study();
  const TaskRules& task = RulesOf(study);
  CheckForTask(reader, task, "train.metric", study.train.metric, task.metrics);
  CheckForTask(reader, task, "data.format", study.data.format, task.formats);
  CheckForTask(reader, task, "data.test_format", study.data.test_format, task.formats);
  if (study.model.flip_test && !task.keypoints) {
    FailAt(reader, "model.flip_test", "is for keypoints, which model.task " + task.name + " does not find");
  }
  const auto fits = [&](int64_t side) { return side % task.side_multiple == 0; };
  if (!std::ranges::all_of(study.model.input, fits)) {
    FailAt(reader, "model.input",
           "model.task " + task.name + " needs sides that are multiples of " + std::to_string(task.side_multiple),
           "such as [" + std::to_string(task.input[0]) + ", " + std::to_string(task.input[1]) + "]");
  }
  if (study.train.zoom[0] > study.train.zoom[1]) {
    FailAt(reader, "train.zoom", "the smallest side must not be larger than the largest");
  }
}

void CheckHpo(StudyReader& reader) {
  const Study::Train& train = reader.study().train;
  const std::pair<const char*, const HyperRange*> parameters[] = {{"train.hpo.lr", &train.hpo.lr},
                                                                  {"train.hpo.gamma", &train.hpo.gamma},
                                                                  {"train.hpo.weight_decay", &train.hpo.weight_decay},
                                                                  {"train.hpo.batch", &train.hpo.batch}};
  for (const auto& [name, range] : parameters) {
    if (train.hpo.method == "grid" && range->is_range()) {
      FailAt(reader, name, "a grid needs a list of values, not a range", "or train.hpo.method: random or bayes");
    }
  }
  if (train.hpo.min_epochs > train.epochs) {
    FailAt(reader, "train.hpo.min_epochs",
           std::to_string(train.hpo.min_epochs) + " is more than train.epochs (" + std::to_string(train.epochs) + ")");
  }
}

void FillDefaults(Study& study) {
  if (study.data.test_root.empty()) study.data.test_root = study.data.root;
  if (study.data.test_format.empty()) study.data.test_format = study.data.format;
  if (study.run.folder.empty()) study.run.folder = (fs::path("runs") / study.name).string();
  if (study.run.journal.empty()) {
    study.run.journal = (fs::path(study.run.folder).parent_path() / "journal.sqlite").string();
  }
}

std::string ReadText(const fs::path& file) {
  std::error_code error;
  if (fs::is_directory(file, error)) {
    throw Error(Code::kInvalidArgument, file.string(), "is a folder, not a study file");
  }
  try {
    return ReadFile(file);
  } catch (const Error& failure) {
    if (failure.code() != Code::kNotFound) throw;
    throw Error(Code::kInvalidArgument, file.string(), "no such file", "`hot init` writes a study file to start from");
  }
}

}  // namespace

Study ReadStudy(const fs::path& file, const std::vector<std::string>& overrides) {
  StudyReader reader(file.string());
  reader.ReadYaml(ReadText(file));
  for (const std::string& assignment : overrides) reader.Override(assignment);
  CheckRequired(reader);
  CheckBaselineWidth(reader);
  CheckSlots(reader);
  CheckAnchors(reader);
  CheckPretrained(reader);
  CheckSearch(reader);
  CheckFormats(reader);
  CheckTrain(reader);
  CheckQuantize(reader);
  CheckHpo(reader);
  FillTaskDefaults(reader);
  FillDefaults(reader.study());
  CheckTask(reader);
  CheckFolder(reader, "data.root", reader.study().data.root);
  CheckFolder(reader, "data.test_root", reader.study().data.test_root);
  return reader.study();
}

}  // namespace hot
