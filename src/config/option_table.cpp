// The options themselves, in the order of study.h.
#include "config/backbone_rules.h"
#include "config/option_rows.h"
#include "config/task_rules.h"
#include "config/value.h"

namespace hot {
namespace {

std::vector<std::string> TaskNames() {
  std::vector<std::string> names;
  for (const TaskRules& task : AllTaskRules()) names.push_back(task.name);
  return names;
}

std::vector<std::string> BackboneNames() {
  std::vector<std::string> names;
  for (const BackboneRules& backbone : AllBackboneRules()) names.push_back(backbone.name);
  names.emplace_back("import:...");
  return names;
}

// A default that depends on the task: "voc; cpn: coco; classify: folders". What is that of the first task is left out.
template <typename Text>
std::string DefaultByTask(const Text& text_of) {
  const std::string first = text_of(AllTaskRules().front());
  std::string text = first;
  for (const TaskRules& task : AllTaskRules()) {
    if (text_of(task) != first) text += "; " + task.name + ": " + text_of(task);
  }
  return text;
}

void AddModel(std::vector<Option>& out) {
  out.push_back({.name = "model.backbone",
                 .field = HOT_FIELD(model.backbone),
                 .help = "The network whose slots are searched; `import:FOLDER`: what `hot import` wrote there, see "
                         "docs/import.md.",
                 .fallback = "",
                 .allowed = BackboneNames()});
  out.push_back({.name = "model.slots",
                 .field = HOT_FIELD(model.slots),
                 .help = "What is chosen for at once: all blocks of a `stage` (7 slots of `mobilenet_v2`, 4 of a "
                         "`resnet`), or each `block` (17; 8 of `resnet18`, else 16).",
                 .fallback = "",
                 .allowed = {"stage", "block"}});
  out.push_back(
      {.name = "model.space",
       .field = HOT_FIELD(model.space),
       .help = "What may stand in a slot, instead of the backbone's own choices: see \"A space of your own\".",
       .fallback = "the backbone's"});
  out.push_back({.name = "model.width",
                 .field = HOT_FIELD(model.width),
                 .help = "Width multipliers of the backbone; each is searched on its own (0.7, 1.0, 1.3 are S, M, L).",
                 .fallback = "",
                 .range = Between(0.1, 4),
                 .max_count = 8});
  out.push_back({.name = "model.baseline_width",
                 .field = HOT_FIELD(model.baseline_width),
                 .help = "Width of the unchanged network that everything is compared with; one of `model.width`.",
                 .fallback = "1.0 if listed, else the only width",
                 .range = Between(0.1, 4)});
  out.push_back({.name = "model.task",
                 .field = HOT_FIELD(model.task),
                 .help =
                     "The head: `ssd` finds objects (SSDLite); `cpn` finds the keypoints of objects whose boxes are "
                     "known (cascaded pyramid network; `model.input` is then a crop, such as [256, 192]); `classify` "
                     "tells which class a whole picture is of.",
                 .fallback = "",
                 .allowed = TaskNames()});
  out.push_back({.name = "model.input",
                 .field = HOT_FIELD(model.input),
                 .help = "Height and width of the network's input in pixels; one number means a square.",
                 .fallback = DefaultByTask([](const TaskRules& task) {
                   return "[" + std::to_string(task.input[0]) + ", " + std::to_string(task.input[1]) + "]";
                 }),
                 .range = Between(32, 2048),
                 .min_count = 2,
                 .max_count = 2,
                 .repeat_single = true});
  out.push_back({.name = "model.anchor_min_scale",
                 .field = HOT_FIELD(model.anchor_min_scale),
                 .help = "Side of the smallest anchors relative to the picture.",
                 .fallback = "",
                 .range = UpTo(1)});
  out.push_back({.name = "model.anchor_max_scale",
                 .field = HOT_FIELD(model.anchor_max_scale),
                 .help = "Side of the largest anchors relative to the picture.",
                 .fallback = "",
                 .range = UpTo(1)});
  out.push_back({.name = "model.aspect_ratios",
                 .field = HOT_FIELD(model.aspect_ratios),
                 .help = "Aspect ratios of anchors beside 1; each is used upright and lying.",
                 .fallback = "",
                 .range = {.min = 1, .max = 10, .above_min = true},
                 .min_count = 0,
                 .max_count = 8});
  out.push_back({.name = "model.finest_stride",
                 .field = HOT_FIELD(model.finest_stride),
                 .help = "Pixels between anchors of SSD's finest map, 16 or 8: objects smaller than about twice this "
                         "are hard to find; 8 takes more time.",
                 .fallback = "",
                 .range = Between(8, 16)});
}

void AddData(std::vector<Option>& out) {
  out.push_back(
      {.name = "data.format",
       .field = HOT_FIELD(data.format),
       .help = "`voc`: XML a picture; `coco`: JSON a split; `folders`: pictures in SPLIT/CLASS/, for `classify`.",
       .fallback = DefaultByTask([](const TaskRules& task) { return task.formats.front(); }),
       .allowed = {"voc", "coco", "folders"}});
  out.push_back({.name = "data.root",
                 .field = HOT_FIELD(data.root),
                 .help = "Folder of the data set, relative to the working directory.",
                 .fallback = "required"});
  out.push_back({.name = "data.train",
                 .field = HOT_FIELD(data.train),
                 .help = "Split to train with; VOC splits can be joined: `VOC2007/trainval+VOC2012/trainval`.",
                 .fallback = ""});
  out.push_back({.name = "data.val",
                 .field = HOT_FIELD(data.val),
                 .help = "Split for every decision: hyper-parameters, quantizer, the choice of the winner.",
                 .fallback = "taken from train"});
  out.push_back({.name = "data.test",
                 .field = HOT_FIELD(data.test),
                 .help = "Split that is read once, for the final scores; `\"\"`: taken from train.",
                 .fallback = ""});
  out.push_back({.name = "data.val_fraction",
                 .field = HOT_FIELD(data.val_fraction),
                 .help = "Share of `data.train` that becomes the validation split when `data.val` is empty (seeded).",
                 .fallback = "",
                 .range = Between(0.01, 0.5)});
  out.push_back({.name = "data.classes",
                 .field = HOT_FIELD(data.classes),
                 .help = "Class names in the order of the network's outputs.",
                 .fallback = "all in train",
                 .min_count = 0,
                 .max_count = 1000});
}

void AddTrain(std::vector<Option>& out) {
  out.push_back({.name = "train.epochs",
                 .field = HOT_FIELD(train.epochs),
                 .help = "Passes over the training split.",
                 .fallback = "",
                 .range = Between(1, 10000)});
  out.push_back({.name = "train.batch",
                 .field = HOT_FIELD(train.batch),
                 .help = "Pictures a step.",
                 .fallback = "",
                 .range = Between(1, 1024)});
  out.push_back(
      {.name = "train.optimizer",
       .field = HOT_FIELD(train.optimizer),
       .help = "`adam`, `adamw` (decoupled weight decay), `sgd` with momentum 0.9, or `nesterov`, the same with its "
               "look-ahead.",
       .fallback = "",
       .allowed = {"adam", "adamw", "sgd", "nesterov"}});
  out.push_back(
      {.name = "train.weight_decay",
       .field = HOT_FIELD(train.weight_decay),
       .help = "Of the weights of convolutions, not of biases and batch norm: L2 penalty, or with `adamw` a share of "
               "the weight that goes with each step, times the learning rate.",
       .fallback = "",
       .range = Between(0, 1)});
  out.push_back({.name = "train.schedule",
                 .field = HOT_FIELD(train.schedule),
                 .help = "Learning rate after the warm-up. `step`: times gamma at 2/3 and 5/6 of the epochs; `cosine`: "
                         "falls to 0, without gamma.",
                 .fallback = "",
                 .allowed = {"step", "cosine"}});
  out.push_back({.name = "train.ema",
                 .field = HOT_FIELD(train.ema),
                 .help = "Decay of a moving average of the weights, which is then validated and stored, such as 0.998; "
                         "it starts lower, so short trainings profit too. 0 means none.",
                 .fallback = "",
                 .range = Between(0, 0.99999)});
  out.push_back({.name = "train.warmup_epochs",
                 .field = HOT_FIELD(train.warmup_epochs),
                 .help = "Epochs over which the learning rate rises linearly.",
                 .fallback = "",
                 .range = Between(0, 1000)});
  out.push_back({.name = "train.clip_norm",
                 .field = HOT_FIELD(train.clip_norm),
                 .help = "Longest gradient (L2 norm); 0 means no clipping.",
                 .fallback = "",
                 .range = Between(0, 1e6)});
  out.push_back(
      {.name = "train.freeze",
       .field = HOT_FIELD(train.freeze),
       .help = "Part of the network up to which weights and batch-norm statistics stay what they were at the "
               "start; `backbone` trains the head alone. A slot that `model.pretrained` lacks, and all behind it, is "
               "trained.",
       .fallback = "",
       .allowed = {"none", "stem", "slot...", "backbone"}});
  out.push_back({.name = "train.freeze_epochs",
                 .field = HOT_FIELD(train.freeze_epochs),
                 .help = "Epochs after which the frozen part is trained too; 0 means never.",
                 .fallback = "",
                 .range = Between(0, 10000)});
  out.push_back(
      {.name = "train.validate_every",
       .field = HOT_FIELD(train.validate_every),
       .help = "Epochs between two scores on `data.val` during the training; `auto` is a tenth of the training.",
       .fallback = "auto",
       .range = Between(0, 10000),
       .zero_word = "auto"});
  out.push_back({.name = "train.patience",
                 .field = HOT_FIELD(train.patience),
                 .help = "So many validations in a row without a better score end a training, and the best of the "
                         "validated weights are kept; 0 means that it goes on to the end and keeps the last ones.",
                 .fallback = "",
                 .range = Between(0, 1000)});
  out.push_back(
      {.name = "train.augment",
       .field = HOT_FIELD(train.augment),
       .help = "Random crops, zoom-out, flips and colours as in SSD, and of classified pictures, whose middle stays in "
               "each crop; zoom, rotation, flips and colours as in CPN.",
       .fallback = ""});
  out.push_back({.name = "train.flips",
                 .field = HOT_FIELD(train.flips),
                 .help = "How training pictures may be mirrored: left-right (`horizontal`), upside down (`vertical`), "
                         "`both`, or `all`: also turned by 90 degrees, for pictures from a microscope or from above.",
                 .fallback = "",
                 .allowed = {"none", "horizontal", "vertical", "both", "all"}});
  AddPoseTrainOptions(out);
  out.push_back({.name = "train.zoom_out",
                 .field = HOT_FIELD(train.zoom_out),
                 .help = "Largest canvas of zoom-out, in picture sides; every second picture gets one; 1 means none.",
                 .fallback = DefaultByTask([](const TaskRules& task) { return FormatNumber(task.zoom_out); }),
                 .range = Between(1, 8)});
  out.push_back({.name = "train.crop",
                 .field = HOT_FIELD(train.crop),
                 .help = "Probability of a random crop.",
                 .fallback = "",
                 .range = Between(0, 1)});
  out.push_back({.name = "train.min_crop",
                 .field = HOT_FIELD(train.min_crop),
                 .help = "Smallest side of a random crop relative to the picture's.",
                 .fallback = "",
                 .range = Between(0.1, 1)});
  out.push_back({.name = "train.metric",
                 .field = HOT_FIELD(train.metric),
                 .help =
                     "What decides on `data.val`: for boxes `coco_ap`, `ap50` or `voc07`; for keypoints `coco_ap` or "
                     "`ap50` (OKS) or `pck`; for classes `top1`.",
                 .fallback = DefaultByTask([](const TaskRules& task) { return task.metrics.front(); }),
                 .allowed = {"coco_ap", "ap50", "voc07", "pck", "top1"}});
  out.push_back({.name = "train.pck_threshold",
                 .field = HOT_FIELD(train.pck_threshold),
                 .help = "How far a correct keypoint may be off, relative to the longer side of the object's box.",
                 .fallback = "",
                 .range = Between(0.001, 1)});
}

void AddRun(std::vector<Option>& out) {
  out.push_back(
      {.name = "run.executor",
       .field = HOT_FIELD(run.executor),
       .help = "Where trainings run; `local`: processes on this machine; `ray`: an existing Ray cluster, the one at "
               "`$RAY_ADDRESS` or else this machine's, whose nodes share the run folder and `hot-train`.",
       .fallback = "",
       .allowed = {"local", "ray"}});
  out.push_back({.name = "run.workers",
                 .field = HOT_FIELD(run.workers),
                 .help = "Trainings at the same time; `auto` is one a GPU, or one a `run.threads` cores.",
                 .fallback = "auto",
                 .range = Between(0, 256),
                 .zero_word = "auto"});
  out.push_back({.name = "run.threads",
                 .field = HOT_FIELD(run.threads),
                 .help = "Threads of one training; only with 1 are its weights the same to the last bit each time.",
                 .fallback = "",
                 .range = Between(1, 256)});
  out.push_back({.name = "run.seed",
                 .field = HOT_FIELD(run.seed),
                 .help = "Seed of everything random.",
                 .fallback = "",
                 .range = Between(0, 1e14)});
  out.push_back({.name = "run.folder",
                 .field = HOT_FIELD(run.folder),
                 .help = "Folder of all results.",
                 .fallback = "`runs/<name>`"});
  out.push_back(
      {.name = "run.journal",
       .field = HOT_FIELD(run.journal),
       .help = "Database of all measurements: an SQLite file, or `postgresql://USER@HOST/NAME` of a whole team. A "
               "password is taken from `PGPASSWORD` or `~/.pgpass`; one in the address is never written down.",
       .fallback = "`journal.sqlite` beside the run folder"});
}

}  // namespace

std::vector<Option> OptionTable() {
  std::vector<Option> out;
  out.push_back({.name = "version",
                 .field = +[](Study& study) -> int& { return study.version; },
                 .help = "Version of this format.",
                 .fallback = "",
                 .range = Between(1, kStudyVersion)});
  out.push_back({.name = "name",
                 .field = +[](Study& study) -> std::string& { return study.name; },
                 .help = "Name of the study; names its run folder.",
                 .fallback = "required",
                 .identifier = true});
  AddModel(out);
  AddPoseModelOptions(out);
  AddPretrainedOptions(out);
  AddData(out);
  AddTestData(out);
  AddPoseDataOptions(out);
  AddTargetOptions(out);
  AddSearchOptions(out);
  AddTrain(out);
  AddComputeOptions(out);
  AddHpoOptions(out);
  AddQuantizeOptions(out);
  AddRun(out);
  return out;
}

}  // namespace hot
