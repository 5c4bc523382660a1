// One training run: what `hot` asks of `hot-train` (trial.json) and what comes back (result.json). Format:
// docs/formats/run.md.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "data/augment.h"
#include "data/dataset.h"
#include "models/pretrained/pretrained.h"
#include "models/search_space.h"
#include "tasks/metric.h"
#include "tasks/task.h"

namespace hot {

struct TrialSpec {
  int version = 1;
  std::string id;  // folder name, for messages
  // network
  std::string backbone = "mobilenet_v2";
  std::string backbone_sha256;  // BackboneKey; empty: any
  SlotSize slot_size = SlotSize::kStage;
  double width = 1.0;
  std::vector<std::string> slots;  // Choice::Name() a slot
  TaskOptions task;
  // The file of weights to start from (models/pretrained), empty: random weights; and its TensorFileKey, empty: any.
  fs::path pretrained;
  std::string pretrained_sha256;
  // Not empty: an integer network is trained on, from the files of quantize/ with this QuantizedKey, kQuantizedStem in
  // the trial's folder, and with their roundings in it. Empty: a training in float.
  std::string quantized_sha256;
  // Set: no training of the network, which is a finished one (`pretrained`). Instead choices of one of its slots learn,
  // side by side, to give what the network's own slot gives for the same input.
  struct Distill {
    int slot = 1;                      // 1-based
    std::vector<std::string> choices;  // Choice::Name(), each once
    bool inherit = false;              // choices start with what they can of the network's slot (pretrained/channels.h)
    bool operator==(const Distill&) const = default;
  };
  std::optional<Distill> distill;
  // data
  DataSource train;
  double val_fraction = 0.15;  // of train, when `val` is empty
  DataSource val;              // val.split empty: taken from train
  uint64_t seed = 0;
  AugmentOptions augment;
  // optimizer
  int epochs = 100;
  int batch = 32;
  std::string optimizer = "adam";  // adam | adamw | sgd | nesterov
  double lr = 5e-4, gamma = 0.5, weight_decay = 0;
  std::string schedule = "step";    // step | cosine, which has no gamma
  double ema = 0;                   // decay of the weights' moving average, which is validated and stored; 0: none
  std::string precision = "fp32";   // of the maps in training: fp32 | bf16
  std::string freeze = "none";      // part up to which nothing is trained: none | stem | slotN | backbone
  int freeze_epochs = 0;            // for the first epochs; 0: throughout
  double clip_norm = 10.0;          // 0: no gradient clipping
  int warmup_epochs = 1;            // linear
  double batchnorm_momentum = 0.1;  // LibTorch's meaning: weight of the new batch
  int validate_every = 0;           // epochs; 0: only after the last
  int patience = 0;                 // validations without a better score that end the training; 0: never
  int threads = 1;
  int loader_threads = 1;
  ScoreOptions score;  // how the validation pictures are scored
};

// A data source without `shared`, with the keys of trial.json. Reading throws what nlohmann and ParseDataFormat throw.
nlohmann::ordered_json SourceJson(const DataSource& source);
DataSource SourceFrom(const nlohmann::ordered_json& json);

// What decoding the outputs needs beside input and classes, with the keys of trial.json and of an artifact's manifest.
nlohmann::ordered_json DecodingJson(const TaskOptions& task);

std::string ToJson(const TrialSpec& spec);
// The trial's network and its slots. Throws what OpenBackbone() throws, and Error(kFailedPrecondition) where the
// network is not the one that the study was begun with.
SearchSpace TrialSpace(const TrialSpec& spec);
// Throws Error(kDataLoss) with the file in front.
TrialSpec ReadTrial(const fs::path& file);

// The network of a trial, as it is trained or as it ships. Throws Error(kInvalidArgument) for choices that are none, or
// too few.
Graph TrialGraph(const TrialSpec& spec, const Task& task, Purpose purpose = Purpose::kTraining);

// Of the files in a trial's folder that spec.quantized_sha256 is of.
inline constexpr const char* kQuantizedStem = "quantized";

// Random weights (spec.seed), and over them what spec.pretrained has, if there is one: `inheritance` says what.
// Throws Error as ReadPretrained and Inherit do, and kFailedPrecondition when the file has another key.
struct InitialWeights {
  Weights weights;
  std::optional<Inheritance> inheritance;
};
InitialWeights MakeInitialWeights(const TrialSpec& spec, const Graph& graph);

// hot-train's outputs in the trial folder: epochs.jsonl ({"epoch","loss","lr","seconds"[,"val"]} a line),
// checkpoint.pt, weights.safetensors, result.json.
struct TrialResult {
  double val_score = 0;
  double train_loss = 0;
  int epochs = 0;
  double seconds = 0;                 // training time summed over all resumptions
  std::optional<double> cpu_seconds;  // CPU time of the process meanwhile, user and system; the first files have none
};
std::string ToJson(const TrialResult& result);
TrialResult ReadTrialResult(const fs::path& file);

// What a trial with `distill` found out, in its result.json beside the keys of TrialResult (whose val_score is the mean
// of 1 - loss): the loss of every choice on the validation pictures (train/distillation.h). Nothing: it was not finite.
struct DistilledChoice {
  std::string choice;
  std::optional<double> loss;
};
std::string ToJson(const TrialResult& result, const std::vector<DistilledChoice>& choices);
// Throws Error(kDataLoss) with the file in front.
std::vector<DistilledChoice> ReadDistilledChoices(const fs::path& file);
// Losses are divided by the variance of the teacher's channels. One that hardly moves would outweigh all others:
// variances count as at least so much of their mean.
inline constexpr double kLeastVariance = 1e-3;
// Weights of the choices in weights.safetensors of such a trial: "irb-k3-e6@fp32/slot3.0.expand.conv.weight".
std::string DistilledPrefix(const std::string& choice);

// Exit code of hot-train when the loss is no longer finite.
inline constexpr int kDivergedExitCode = 4;

// Where a training that stopped behind `epochs` of its schedule leaves its result: rung-9.json; 0: result.json.
fs::path TrialResultFile(const fs::path& folder, int epochs);
// The result of a training up to `epochs` (0: to the end), or of one that ended earlier by itself. Nothing when there
// is none that can be read.
std::optional<TrialResult> ResultOf(const fs::path& folder, int epochs);

// Training data and validation data of a trial, split by picture and seeded the same way everywhere.
struct TrialData {
  Dataset train, val;    // what the network sees: Task::Views()
  Dataset val_pictures;  // what is scored
};
TrialData LoadTrialData(const TrialSpec& spec);
// Hash of all annotations that the training and its score depend on: with other ones, old scores say nothing.
std::string AnnotationKey(const TrialData& data);

}  // namespace hot
