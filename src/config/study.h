// The study file: everything a user can ask for, typed, with defaults. Read from YAML through the option records of
// options.h; docs/formats/study.md and `hot optimize --help-study` come from the same records. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"

namespace hot {

// Values of a hyper-parameter to try: a list of choices, or a range.
struct HyperRange {
  std::vector<double> values{};  // empty: the range below, or nothing to try when high is 0
  double low = 0, high = 0;      // both included
  bool log = false;              // uniform in the logarithm
  bool is_range() const { return values.empty() && high > 0; }
  bool empty() const { return values.empty() && high == 0; }
};

// Choices of slots ("slot3"; "default": of all that are not named). Empty: the backbone's own.
struct Space {
  struct Slot {
    std::string name;
    std::vector<std::string> choices{};  // "irb-k3-e6"
  };
  std::vector<Slot> slots{};
};

struct Study {
  int version = 1;
  std::string name;

  struct Model {
    std::string backbone = "mobilenet_v2";
    std::vector<double> width{1.0};
    std::string slots = "stage";  // stage | block
    Space space;
    std::optional<double> baseline_width;  // default: 1.0 if listed, else the only width
    std::string task = "ssd";
    std::vector<int64_t> input{320, 320};  // height, width
    double anchor_min_scale = 0.15, anchor_max_scale = 0.95;
    std::vector<double> aspect_ratios{2.0, 3.0};
    int64_t finest_stride = 16;  // 8 | 16
    int64_t pyramid_channels = 128;
    std::vector<double> box_margin{0.15, 0.1};  // above and below, left and right, relative to the box
    bool flip_test = false;                     // a second pass over the mirrored input
    std::string pretrained;                     // file of weights to start from; empty: random
    std::string padding = "auto";               // auto | symmetric | same
    std::optional<double> bn_eps;               // these three: what `pretrained` needs
    std::vector<double> mean, stddev;           // empty, or red, green, blue
  } model;

  struct Data {
    std::string format = "voc";  // voc | coco | folders
    std::string root;
    std::string train = "trainval", val, test = "test";  // val empty: taken from train
    double val_fraction = 0.15;
    std::vector<std::string> classes;    // empty: all in train
    double test_fraction = 0.2;          // of train, when `test` is empty
    std::string test_root, test_format;  // default: root and format
    // Names of one class in two data sets.
    std::vector<std::string> same_classes{"aeroplane/airplane",   "diningtable/dining table",
                                          "motorbike/motorcycle", "pottedplant/potted plant",
                                          "sofa/couch",           "tvmonitor/tv"};
    bool tests_on_train() const { return test.empty() && !tests_elsewhere(); }
    bool tests_elsewhere() const { return test_root != root || test_format != format; }
    std::vector<std::string> keypoints;     // empty: all in train
    std::vector<std::string> mirror_pairs;  // "left_eye/right_eye"; empty: by their names
    std::vector<double> oks_sigmas;         // empty: COCO's, for its 17 keypoints
  } data;

  struct Target {
    std::string device = "host";
    std::string token_file, ca_file;  // of remote devices
    std::string toolchain = "openvino";
    std::vector<std::string> precision{"int8"};
    int64_t threads = 1;
  } target;

  struct Search {
    std::vector<std::string> objective{"accuracy", "latency"};
    std::string quality = "macs";       // macs | distill
    int64_t distill_epochs = 5;         // of quality distill
    std::string precision = "network";  // network | slot
    std::string solver = "exact";
    std::optional<double> latency_ms;
    std::string latency_scope = "network";     // network | end_to_end
    std::string latency_statistic = "median";  // median | mean | p90
    std::optional<double> latency_ratio;       // budget relative to the baseline's latency; not with latency_ms
    std::optional<double> flash_kib, ram_kib, memory_kib, quality_min;  // quality_min: M MACs, or % of distill
    int64_t candidates = 8;                                             // k, per objective and width
    int64_t train_candidates = 0;                                       // trained per objective and width; 0: all k
    int64_t min_distance = 1;                                           // slots in which candidates differ at least
    int64_t front = 20;                                                 // points
  } search;

  struct Train {
    int64_t epochs = 100, batch = 32;
    std::string device = "auto";     // auto | cpu | cuda
    std::string precision = "fp32";  // fp32 | bf16
    std::string optimizer = "adam";  // adam | adamw | sgd | nesterov
    double weight_decay = 0;
    std::string schedule = "step";  // step | cosine
    double ema = 0;                 // decay; 0: none
    int64_t warmup_epochs = 1;
    double clip_norm = 10;
    std::string freeze = "none";  // none | stem | slot1.. | backbone
    int64_t freeze_epochs = 0;    // 0: throughout
    int64_t validate_every = 0;   // epochs; 0: a tenth of the training
    int64_t patience = 0;         // validations; 0: never
    bool augment = true;
    std::string flips = "horizontal";     // none | horizontal | vertical | both | all
    std::vector<double> zoom{0.7, 1.35};  // sides of a crop around an object, smallest and largest
    double rotate_degrees = 45;           // of such a crop
    double zoom_out = 4;                  // largest canvas in picture sides; 1: none
    double crop = 0.85;                   // probability of a random crop
    double min_crop = 0.3;                // smallest side of a crop relative to the picture's
    std::string metric = "coco_ap";       // coco_ap | ap50 | voc07 | pck | top1
    double pck_threshold = 0.05;          // of the longer side of the object's box
    struct Hpo {
      std::string method = "grid";  // grid | random | bayes
      std::string sampler = "tpe";  // of bayes: tpe | botorch
      int64_t trials = 12;          // a network; grid: all combinations
      std::optional<double> budget_minutes, budget_epochs;
      std::string pruning = "none";           // none | halving
      int64_t reduction = 3, min_epochs = 0;  // of halving; 0: a ninth of the epochs
      HyperRange lr{.values = {5e-4, 7e-4}}, gamma{.values = {0.3, 0.5, 0.7}};
      HyperRange weight_decay{}, batch{};    // empty: train.weight_decay, train.batch
      std::vector<std::string> optimizer{};  // empty: train.optimizer
    } hpo;
  } train;

  struct Quantize {
    std::string ranges = "percentile";  // percentile | minmax | mse | kl | auto
    int64_t pictures = 128;
    std::string scheme = "s8s8";  // of int8: s8s8 | u8s8
    bool equalize = false, correct_bias = false;
    std::string rounding = "auto";   // auto | nearest | adaptive
    std::optional<double> max_drop;  // points of train.metric on val
    int64_t finetune_epochs = 0;     // of a network that loses more
  } quantize;

  struct Run {
    std::string executor = "local";
    int64_t workers = 0;  // 0 = auto: one a GPU or, without any, one a group of `threads` cores
    int64_t threads = 1;  // of one training
    int64_t seed = 0;
    std::string folder;   // default: runs/<name>
    std::string journal;  // default: journal.sqlite beside the run folder
  } run;
};

// Reads, checks ranges and applies `overrides` ("data.root=DIR", later ones win). Relative paths in the file are
// relative to the working directory. Throws Error(kInvalidArgument) "FILE:LINE:COL: key: what" with the nearest known
// key as hint.
Study ReadStudy(const fs::path& file, const std::vector<std::string>& overrides);

// Canonical JSON of the whole study or of one section ("model", "data", ...): what stage manifests hash.
std::string StudyJson(const Study& study);
std::string StudySectionJson(const Study& study, const std::string& section);

// Markdown table of all options, from the records.
std::string StudyReference();

}  // namespace hot
