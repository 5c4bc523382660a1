#include "pipeline/workspace.h"

#include <algorithm>
#include <utility>

#include "core/hash.h"
#include "core/text.h"
#include "data/class_names.h"
#include "models/imported/imported_backbone.h"
#include "models/pretrained/tensor_file.h"
#include "pipeline/pretrained_study.h"
#include "pipeline/run_lock.h"
#include "pipeline/run_progress.h"
#include "pipeline/task_options.h"

namespace hot {
namespace {

constexpr uint64_t kTestSeed = 0;  // not the study's: runs with other seeds are compared on the same pictures

void SetFlips(const std::string& flips, AugmentOptions& augment) {
  const bool all = flips == "all", both = flips == "both" || all;
  augment.flip = both || flips == "horizontal" ? 0.5 : 0;
  augment.vertical_flip = both || flips == "vertical" ? 0.5 : 0;
  augment.transpose = all ? 0.5 : 0;
}

// An imported network brings its weights.
Study WithImportedWeights(Study study) {
  if (IsImported(study.model.backbone) && study.model.pretrained.empty())
    study.model.pretrained = (ImportedFolder(study.model.backbone) / kImportedWeights).string();
  return study;
}

// What a study offers everywhere is not for parts where no block was recognized; elsewhere the imported one stays.
void AddOriginal(const Slot& slot, bool named, std::vector<Choice>& choices) {
  if (slot.originals.empty() || choices.empty()) return;
  if (!named && slot.choices.size() == 1) choices.clear();
  if (!choices.empty()) choices.insert(choices.begin(), slot.baseline);
}

SearchSpace StudySpace(const Study& study) {
  const std::shared_ptr<const Backbone> backbone = OpenBackbone(study.model.backbone);
  const SlotSize size = ParseSlotSize(study.model.slots);
  const auto choices_of = [&](const std::string& name) {
    std::vector<Choice> choices;
    const auto slot = std::ranges::find(study.model.space.slots, name, &Space::Slot::name);
    if (slot == study.model.space.slots.end()) return choices;
    for (const std::string& choice : slot->choices) choices.push_back(Choice::Parse(choice));
    return choices;
  };
  SlotChoices choices;
  for (const Slot& slot : SearchSpace(backbone, size).Slots(1.0, Precision::kFp32)) {
    std::vector<Choice> some = choices_of("slot" + std::to_string(slot.index));
    const bool named = !some.empty();
    if (!named) some = choices_of("default");
    AddOriginal(slot, named, some);
    if (!some.empty()) choices[slot.index] = std::move(some);
  }
  return {backbone, size, std::move(choices)};
}

// A journal that is not there yet is an empty one to who only looks.
std::unique_ptr<Store> OpenJournal(const std::string& where, Access access) {
  return OpenStore(access == Access::kLook && IsMissingFile(where) ? ":memory:" : where);
}

// A slot that the study names and the network lacks.
void CheckSlotName(const Study& study, const Backbone& backbone, const std::string& key, const std::string& name) {
  const std::vector<Slot> slots = backbone.Slots(1.0, Precision::kFp32);
  const auto is_named = [&](const Slot& slot) { return name == "slot" + std::to_string(slot.index); };
  if (!name.starts_with("slot") || std::ranges::any_of(slots, is_named)) return;
  throw Error(Code::kInvalidArgument, key, study.model.backbone + " has no " + name,
              "its slots: slot1 to slot" + std::to_string(slots.size()) + " (model.slots: " + study.model.slots + ")");
}

// What a study of an imported network can be checked for only when the network is known.
void CheckBackbone(const Study& study, const Backbone& backbone, const Task& task) {
  if (!IsImported(study.model.backbone)) return;
  for (const double width : study.model.width) backbone.Slots(width, Precision::kFp32);  // throws: it has only its own
  CheckSlotName(study, backbone, "train.freeze", study.train.freeze);
  for (const Space::Slot& slot : study.model.space.slots)
    CheckSlotName(study, backbone, "model.space." + slot.name, slot.name);
  const std::map<int, int> by_stride = SlotsByStride(backbone);
  for (const int stride : task.taps().strides) {
    if (by_stride.contains(stride)) continue;
    throw Error(Code::kInvalidArgument, "model.task",
                study.model.task + " reads a slot at stride " + std::to_string(stride) + ", which " +
                    study.model.backbone + " does not have");
  }
}

void CheckScope(const Study& study, const Device& device) {
  if (study.search.latency_scope == "network" || device.runs_work()) return;
  throw Error(Code::kInvalidArgument, "search.latency_scope",
              study.target.device + " measures networks only, so end_to_end has no number there",
              "latency_scope: network, or target.device: host");
}

}  // namespace

fs::path RunFolder(const Study& study) {
  return study.run.folder.empty() ? fs::path("runs") / study.name : fs::path(study.run.folder);
}

Workspace::Workspace(Study study, const Context& context, Access access)
    : study_(WithImportedWeights(std::move(study))),
      context_(context),
      folder_(RunFolder(study_)),
      backbone_(StudySpace(study_)),
      backbone_key_(BackboneKey(study_.model.backbone)) {
  if (access == Access::kWork) {
    lock_ = LockRun(folder_);
    ForgetProgress(folder_);
  }
  store_ = OpenJournal(study_.run.journal, access);
  target_ = MakeTarget(study_.target, *store_);
  CheckPrecisions(study_.target, toolchain());
  CheckScope(study_, device());
  const NamedDatasets data = CheckData();
  const std::optional<Pretrained> pretrained = StudyPretrained(study_, backbone_);
  Warn(ResolveConvention(study_, pretrained));
  task_ = MakeTask(StudyTaskOptions(study_, classes_, keypoints_));
  CheckBackbone(study_, backbone_, *task_);
  for (const auto& [name, dataset] : data) task_->Views(dataset);  // throws where there is nothing to see
  if (study_.train.augment && task_->predicted() == Predicted::kKeypoints && task_->options().mirror_pairs.empty()) {
    Warn(
        {"data.train: nobody knows which keypoints are left and which right, so pictures are not mirrored "
         "(data.mirror_pairs)"});
  }
  if (pretrained) {
    pretrained_key_ = TensorFileKey(study_.model.pretrained);
    for (const std::string& line : CheckInheritance(*pretrained, study_, backbone_, *task_)) notes_.push_back(line);
  }
  if (access == Access::kWork) WriteFileAtomic(folder_ / "study.json", StudyJson(study_) + "\n");
}

Workspace::NamedDatasets Workspace::CheckData() {
  NamedDatasets checked;
  CheckSplit("data.train", TrainSource(), checked);
  const Dataset& train = checked.front().second;
  if (train.classes.empty()) throw Error(Code::kInvalidArgument, "data.train", "there is no object in any picture");
  classes_ = train.classes;
  keypoints_ = train.keypoints;
  skeleton_ = train.skeleton;
  if (study_.data.val.empty()) {
    SplitDataset(train, study_.data.val_fraction, static_cast<uint64_t>(study_.run.seed));
  } else {
    CheckSplit("data.val", Source(study_.data.val), checked);
  }
  CheckSplit("data.test", TestSource(), checked);
  return checked;
}

void Workspace::CheckSplit(const std::string& name, const DataSource& source, NamedDatasets& before) {
  Dataset dataset = ReadDataset(source);
  Warn(dataset.warnings);
  CheckPictures(dataset);
  for (const auto& [other_name, other] : before) {
    const std::string warning = CheckDisjoint(other_name, other, name, dataset);
    if (!warning.empty()) Warn({warning});
  }
  before.emplace_back(name, std::move(dataset));
}

void Workspace::Warn(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) notes_.push_back("warning: " + warning);
}

Precision Workspace::precision() const { return ParsePrecision(study_.target.precision.front()); }

double Workspace::baseline_width() const {
  if (study_.model.baseline_width) return *study_.model.baseline_width;
  const auto& widths = study_.model.width;
  return widths.size() == 1 ? widths[0] : 1.0;
}

DataSource Workspace::TrainSource() const {
  DataSource source = Source(study_.data.train);
  if (study_.data.tests_on_train()) {
    source.share = {.fraction = study_.data.test_fraction, .seed = kTestSeed, .rest = true};
  }
  return source;
}

DataSource Workspace::TestSource() const {
  if (study_.data.tests_on_train()) {
    DataSource source = TrainSource();
    source.share->rest = false;
    return source;
  }
  DataSource source = Source(study_.data.test);
  if (!study_.data.tests_elsewhere()) return source;
  source.format = ParseDataFormat(study_.data.test_format);
  source.root = study_.data.test_root;
  source.shared = ParseClassNames(study_.data.same_classes, "data.same_classes");
  return source;
}

DataSource Workspace::Source(const std::string& split) const {
  DataSource source;
  source.format = ParseDataFormat(study_.data.format);
  source.root = study_.data.root;
  source.split = split;
  source.classes = study_.data.classes.empty() ? classes_ : study_.data.classes;
  source.keypoints = study_.data.keypoints.empty() ? keypoints_ : study_.data.keypoints;
  return source;
}

ScoreOptions Workspace::Scoring() const {
  return {.metric = ParseMetric(study_.train.metric),
          .predicted = task_->predicted(),
          .oks = {.sigmas = study_.data.oks_sigmas},
          .pck_threshold = study_.train.pck_threshold};
}

TrialSpec Workspace::TrialTemplate() const {
  TrialSpec spec;
  spec.backbone = study_.model.backbone;
  spec.backbone_sha256 = backbone_key_;
  spec.slot_size = backbone_.slot_size();
  spec.task = task_->options();
  spec.pretrained = study_.model.pretrained;
  spec.pretrained_sha256 = pretrained_key_;
  spec.train = TrainSource();
  spec.val = Source(study_.data.val);
  spec.val_fraction = study_.data.val_fraction;
  spec.seed = static_cast<uint64_t>(study_.run.seed);
  spec.augment.enabled = study_.train.augment;
  SetFlips(study_.train.flips, spec.augment);
  spec.augment.max_zoom_out = study_.train.zoom_out;
  spec.augment.crop = study_.train.crop;
  spec.augment.min_crop = study_.train.min_crop;
  spec.augment.min_zoom = study_.train.zoom[0];
  spec.augment.max_zoom = study_.train.zoom[1];
  spec.augment.rotate_degrees = study_.train.rotate_degrees;
  spec.epochs = static_cast<int>(study_.train.epochs);
  spec.batch = static_cast<int>(study_.train.batch);
  spec.optimizer = study_.train.optimizer;
  spec.weight_decay = study_.train.weight_decay;
  spec.clip_norm = study_.train.clip_norm;
  spec.schedule = study_.train.schedule;
  spec.ema = study_.train.ema;
  spec.warmup_epochs = static_cast<int>(study_.train.warmup_epochs);
  spec.precision = study_.train.precision;
  spec.freeze = study_.train.freeze;
  spec.freeze_epochs = static_cast<int>(study_.train.freeze_epochs);
  spec.validate_every = static_cast<int>(study_.train.validate_every);
  if (spec.validate_every == 0) spec.validate_every = std::max(1, spec.epochs / 10);
  spec.patience = static_cast<int>(study_.train.patience);
  spec.score = Scoring();
  spec.threads = static_cast<int>(study_.run.threads);
  return spec;
}

std::string FileKey(const Workspace& workspace, std::string_view file) {
  const fs::path path = workspace.folder() / file;
  return fs::exists(path) ? Sha256File(path) : "missing";
}

}  // namespace hot
