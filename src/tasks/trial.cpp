#include "tasks/trial.h"

#include <nlohmann/json.hpp>
#include <tuple>

#include "core/error.h"
#include "core/hash.h"
#include "core/read_json.h"
#include "graph/fold.h"
#include "models/imported/imported_backbone.h"
#include "models/pretrained/tensor_file.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

Json TaskJson(const TaskOptions& task) {
  Json json{{"task", task.task},
            {"input", {task.input.c, task.input.h, task.input.w}},
            {"convention", ToJson(task.convention)},
            {"classes", task.classes}};
  json["keypoints"] = task.keypoints;
  json["mirror_pairs"] = task.mirror_pairs;
  json["pyramid_channels"] = task.pyramid_channels;
  json["margin"] = {task.margin_y, task.margin_x};
  if (task.flip_test) json["flip_test"] = true;  // only then: other trials stay those that older files tell of
  json.update(DecodingJson(task));
  return json;
}

TaskOptions TaskFrom(const Json& json) {
  TaskOptions task;
  task.task = json.at("task");
  const Json& input = json.at("input");
  task.input = {WholeNumber<int>(input.at(0)), WholeNumber<int>(input.at(1)), WholeNumber<int>(input.at(2))};
  if (json.contains("convention"))
    task.convention = ConventionFromJson(json.at("convention"));  // not in the first files
  task.classes = json.at("classes").get<std::vector<std::string>>();
  task.anchor_min_scale = json.at("anchor_min_scale");
  task.anchor_max_scale = json.at("anchor_max_scale");
  task.aspect_ratios = json.at("aspect_ratios").get<std::vector<double>>();
  if (json.contains("finest_stride"))
    task.finest_stride = WholeNumber<int>(json.at("finest_stride"));  // not in old files
  task.keypoints = json.value("keypoints", task.keypoints);           // nor these
  task.mirror_pairs = json.value("mirror_pairs", task.mirror_pairs);
  if (json.contains("pyramid_channels")) task.pyramid_channels = WholeNumber<int>(json.at("pyramid_channels"));
  if (json.contains("margin")) {
    task.margin_y = json.at("margin").at(0);
    task.margin_x = json.at("margin").at(1);
  }
  task.flip_test = json.value("flip_test", task.flip_test);
  task.score_threshold = json.at("score_threshold");
  task.nms_iou = json.at("nms_iou");
  task.max_detections = WholeNumber<int>(json.at("max_detections"));
  return task;
}

Json AugmentJson(const AugmentOptions& a) {
  return {{"enabled", a.enabled},
          {"flip", a.flip},
          {"zoom_out", a.zoom_out},
          {"max_zoom_out", a.max_zoom_out},
          {"min_crop", a.min_crop},
          {"brightness", a.brightness},
          {"contrast", a.contrast},
          {"saturation", a.saturation},
          {"hue_degrees", a.hue_degrees},
          {"crop", a.crop},
          {"vertical_flip", a.vertical_flip},
          {"transpose", a.transpose},
          {"min_zoom", a.min_zoom},
          {"max_zoom", a.max_zoom},
          {"rotate_degrees", a.rotate_degrees}};
}

AugmentOptions AugmentFrom(const Json& json) {
  AugmentOptions a;
  a.enabled = json.at("enabled");
  a.flip = json.at("flip");
  a.zoom_out = json.at("zoom_out");
  a.max_zoom_out = json.at("max_zoom_out");
  a.min_crop = json.at("min_crop");
  a.brightness = json.at("brightness");
  a.contrast = json.at("contrast");
  a.saturation = json.at("saturation");
  a.hue_degrees = json.at("hue_degrees");
  a.crop = json.value("crop", a.crop);  // the first files had none of these
  a.vertical_flip = json.value("vertical_flip", a.vertical_flip);
  a.transpose = json.value("transpose", a.transpose);
  a.min_zoom = json.value("min_zoom", a.min_zoom);
  a.max_zoom = json.value("max_zoom", a.max_zoom);
  a.rotate_degrees = json.value("rotate_degrees", a.rotate_degrees);
  return a;
}

Json OptimizerJson(const TrialSpec& s) {
  Json json{{"epochs", s.epochs},
            {"batch", s.batch},
            {"optimizer", s.optimizer},
            {"lr", s.lr},
            {"gamma", s.gamma},
            {"weight_decay", s.weight_decay},
            {"schedule", s.schedule},
            {"ema", s.ema},
            {"freeze", s.freeze},
            {"freeze_epochs", s.freeze_epochs},
            {"patience", s.patience},
            {"clip_norm", s.clip_norm},
            {"warmup_epochs", s.warmup_epochs},
            {"batchnorm_momentum", s.batchnorm_momentum},
            {"validate_every", s.validate_every},
            {"threads", s.threads},
            {"loader_threads", s.loader_threads}};
  if (s.precision != "fp32") json["precision"] = s.precision;  // only then: other trials stay those of older files
  return json;
}

void OptimizerFrom(const Json& json, TrialSpec& s) {
  s.epochs = WholeNumber<int>(json.at("epochs"));
  s.batch = WholeNumber<int>(json.at("batch"));
  s.optimizer = json.at("optimizer");
  s.lr = json.at("lr");
  s.gamma = json.at("gamma");
  s.weight_decay = json.at("weight_decay");
  s.clip_norm = json.at("clip_norm");
  s.schedule = json.value("schedule", s.schedule);  // the first files had none of these
  s.ema = json.value("ema", s.ema);
  s.precision = json.value("precision", s.precision);
  s.freeze = json.value("freeze", s.freeze);
  if (json.contains("freeze_epochs")) s.freeze_epochs = WholeNumber<int>(json["freeze_epochs"]);
  if (json.contains("patience")) s.patience = WholeNumber<int>(json["patience"]);
  s.warmup_epochs = WholeNumber<int>(json.at("warmup_epochs"));
  s.batchnorm_momentum = json.at("batchnorm_momentum");
  s.validate_every = WholeNumber<int>(json.at("validate_every"));
  s.threads = WholeNumber<int>(json.at("threads"));
  s.loader_threads = WholeNumber<int>(json.at("loader_threads"));
}

Json ScoreJson(const ScoreOptions& score) {
  return {{"metric", MetricName(score.metric)},
          {"predicted", PredictedName(score.predicted)},
          {"oks_sigmas", score.oks.sigmas},
          {"pck_threshold", score.pck_threshold}};
}

ScoreOptions ScoreFrom(const Json& json) {
  ScoreOptions score;
  score.metric = ParseMetric(json.at("metric"));
  if (!json.contains("predicted")) return score;  // the first files: boxes only
  score.predicted = ParsePredicted(json.at("predicted"));
  score.oks.sigmas = json.at("oks_sigmas").get<std::vector<double>>();
  score.pck_threshold = json.at("pck_threshold");
  return score;
}

Json ResultJson(const TrialResult& r) {
  Json json{{"version", 1},
            {"val_score", r.val_score},
            {"train_loss", r.train_loss},
            {"epochs", r.epochs},
            {"seconds", r.seconds}};
  if (r.cpu_seconds) json["cpu_seconds"] = *r.cpu_seconds;
  return json;
}

Json ParseFile(const fs::path& file) {
  const Json json = Json::parse(ReadFile(file));
  if (json.at("version") != 1)
    throw Error(Code::kFailedPrecondition, file.string(), "was made by another version of hot");
  return json;
}

// `read` makes a value of the file's JSON; whatever it throws becomes an Error with the file in front.
template <typename Read>
auto ReadJsonFile(const fs::path& file, const Read& read) {
  try {
    return WithPlace(file.string(), [&] { return read(ParseFile(file)); });
  } catch (const nlohmann::json::exception& error) {
    throw Error(Code::kDataLoss, file.string(), std::string("is broken: ") + error.what(),
                "delete the folder and run again");
  }
}

}  // namespace

Json SourceJson(const DataSource& source) {
  Json json{{"format", DataFormatName(source.format)},
            {"root", source.root.string()},
            {"split", source.split},
            {"classes", source.classes},
            {"keypoints", source.keypoints}};
  if (const auto& share = source.share) {
    json["share"] = {{"fraction", share->fraction}, {"seed", share->seed}, {"rest", share->rest}};
  }
  return json;
}

DataSource SourceFrom(const Json& json) {
  DataSource source;
  source.format = ParseDataFormat(json.at("format"));
  source.root = json.at("root").get<std::string>();
  source.split = json.at("split");
  source.classes = json.at("classes").get<std::vector<std::string>>();
  source.keypoints = json.value("keypoints", source.keypoints);  // the first files had none
  if (json.contains("share")) {
    const Json& share = json.at("share");
    source.share = {
        .fraction = share.at("fraction"), .seed = WholeNumber<uint64_t>(share.at("seed")), .rest = share.at("rest")};
  }
  return source;
}

Json DecodingJson(const TaskOptions& task) {
  return {{"anchor_min_scale", task.anchor_min_scale}, {"anchor_max_scale", task.anchor_max_scale},
          {"aspect_ratios", task.aspect_ratios},       {"finest_stride", task.finest_stride},
          {"score_threshold", task.score_threshold},   {"nms_iou", task.nms_iou},
          {"max_detections", task.max_detections}};
}

std::string ToJson(const TrialSpec& s) {
  Json json{{"version", s.version}, {"id", s.id}, {"backbone", s.backbone}, {"width", s.width}, {"slots", s.slots}};
  if (!s.backbone_sha256.empty()) json["backbone_sha256"] = s.backbone_sha256;
  if (s.slot_size != SlotSize::kStage) json["slot_size"] = SlotSizeName(s.slot_size);
  if (!s.pretrained.empty()) {
    json["pretrained"] = {{"file", s.pretrained.string()}, {"sha256", s.pretrained_sha256}};
  }
  if (!s.quantized_sha256.empty()) json["quantized"] = {{"sha256", s.quantized_sha256}};
  if (s.distill) json["distill"] = {{"slot", s.distill->slot}, {"choices", s.distill->choices}};
  if (s.distill && s.distill->inherit) json["distill"]["inherit"] = true;
  json["task"] = TaskJson(s.task);
  json["train"] = SourceJson(s.train);
  json["val"] = SourceJson(s.val);
  json["val_fraction"] = s.val_fraction;
  json["seed"] = s.seed;
  json["augment"] = AugmentJson(s.augment);
  json.update(OptimizerJson(s));
  json.update(ScoreJson(s.score));
  return json.dump(1);
}

TrialSpec ReadTrial(const fs::path& file) {
  return ReadJsonFile(file, [](const Json& json) {
    TrialSpec s;
    s.id = json.at("id");
    s.backbone = json.at("backbone");
    s.backbone_sha256 = json.value("backbone_sha256", s.backbone_sha256);  // of imported networks
    if (json.contains("slot_size")) s.slot_size = ParseSlotSize(json.at("slot_size").get<std::string>());
    s.width = json.at("width");
    s.slots = json.at("slots").get<std::vector<std::string>>();
    if (json.contains("pretrained")) {
      s.pretrained = json.at("pretrained").at("file").get<std::string>();
      s.pretrained_sha256 = json.at("pretrained").at("sha256");
    }
    if (json.contains("quantized")) s.quantized_sha256 = json.at("quantized").at("sha256");
    if (json.contains("distill")) {
      s.distill = {.slot = WholeNumber<int>(json["distill"].at("slot")),
                   .choices = json["distill"].at("choices").get<std::vector<std::string>>(),
                   .inherit = json["distill"].value("inherit", false)};
    }
    s.task = TaskFrom(json.at("task"));
    s.train = SourceFrom(json.at("train"));
    s.val = SourceFrom(json.at("val"));
    s.val_fraction = json.at("val_fraction");
    s.seed = WholeNumber<uint64_t>(json.at("seed"));
    s.augment = AugmentFrom(json.at("augment"));
    OptimizerFrom(json, s);
    s.score = ScoreFrom(json);
    return s;
  });
}

SearchSpace TrialSpace(const TrialSpec& spec) {
  if (!spec.backbone_sha256.empty() && BackboneKey(spec.backbone) != spec.backbone_sha256) {
    throw Error(Code::kFailedPrecondition, spec.backbone, "is not the network that the study was begun with",
                "import it again, and run hot again");
  }
  return {OpenBackbone(spec.backbone), spec.slot_size};
}

Graph TrialGraph(const TrialSpec& spec, const Task& task, Purpose purpose) {
  std::vector<Choice> choices;
  for (const std::string& name : spec.slots) choices.push_back(Choice::Parse(name));
  const SearchSpace backbone = TrialSpace(spec);
  const size_t slots = backbone.Slots(spec.width, Precision::kFp32).size();
  if (choices.size() != slots) {
    throw Error(Code::kInvalidArgument, "slots",
                "expected " + std::to_string(slots) + " choices, got " + std::to_string(choices.size()));
  }
  return BuildNetwork(backbone, spec.width, choices, task, purpose);
}

InitialWeights MakeInitialWeights(const TrialSpec& spec, const Graph& graph) {
  InitialWeights initial{.weights = RandomWeights(graph, spec.seed), .inheritance = std::nullopt};
  if (spec.pretrained.empty()) return initial;
  if (!spec.pretrained_sha256.empty() && TensorFileKey(spec.pretrained) != spec.pretrained_sha256) {
    throw Error(Code::kFailedPrecondition, spec.pretrained.string(), "is not the file that the study was begun with",
                "put it back, or run hot again");
  }
  const Pretrained pretrained = ReadPretrained(spec.pretrained, TrialSpace(spec));
  initial.inheritance = Inherit(graph, pretrained, initial.weights);
  return initial;
}

std::string ToJson(const TrialResult& result) { return ResultJson(result).dump(1); }

std::string ToJson(const TrialResult& result, const std::vector<DistilledChoice>& choices) {
  Json json = ResultJson(result);
  json["choices"] = Json::array();
  for (const DistilledChoice& one : choices) {
    json["choices"].push_back({{"choice", one.choice}, {"loss", one.loss ? Json(*one.loss) : Json()}});
  }
  return json.dump(1);
}

std::vector<DistilledChoice> ReadDistilledChoices(const fs::path& file) {
  return ReadJsonFile(file, [](const Json& json) {
    std::vector<DistilledChoice> choices;
    for (const Json& one : json.at("choices")) {
      DistilledChoice& choice = choices.emplace_back(DistilledChoice{.choice = one.at("choice"), .loss = {}});
      if (!one.at("loss").is_null()) choice.loss = one["loss"].get<double>();
    }
    return choices;
  });
}

std::string DistilledPrefix(const std::string& choice) { return choice + "/"; }

TrialResult ReadTrialResult(const fs::path& file) {
  return ReadJsonFile(file, [](const Json& json) {
    TrialResult result{.val_score = json.at("val_score"),
                       .train_loss = json.at("train_loss"),
                       .epochs = WholeNumber<int>(json.at("epochs")),
                       .seconds = json.at("seconds")};
    if (json.contains("cpu_seconds")) result.cpu_seconds = json["cpu_seconds"];
    return result;
  });
}

fs::path TrialResultFile(const fs::path& folder, int epochs) {
  return folder / (epochs > 0 ? "rung-" + std::to_string(epochs) + ".json" : "result.json");
}

std::optional<TrialResult> ResultOf(const fs::path& folder, int epochs) {
  for (const fs::path& file : {TrialResultFile(folder, epochs), TrialResultFile(folder, 0)}) {
    try {
      if (fs::exists(file)) return ReadTrialResult(file);
    } catch (const Error&) {
      // of no use: the training makes it again from its checkpoint
    }
  }
  return std::nullopt;
}

TrialData LoadTrialData(const TrialSpec& spec) {
  Dataset train = ReadDataset(spec.train), val;
  if (spec.val.split.empty()) {
    std::tie(train, val) = SplitDataset(train, spec.val_fraction, spec.seed);
  } else {
    val = ReadDataset(spec.val);
  }
  const auto task = MakeTask(spec.task);
  return {.train = task->Views(train), .val = task->Views(val), .val_pictures = std::move(val)};
}

std::string AnnotationKey(const TrialData& data) {
  std::string text;
  const auto add = [&](std::initializer_list<double> numbers) {
    for (const double number : numbers) text += " " + std::to_string(number);
  };
  for (const Dataset* dataset : {&data.train, &data.val_pictures}) {
    for (const Sample& sample : dataset->samples) {
      text += sample.name + " " + std::to_string(sample.width) + "x" + std::to_string(sample.height);
      for (const Object& o : sample.objects) {
        add({o.box.x0, o.box.y0, o.box.x1, o.box.y1, o.area});
        text += " " + std::to_string(o.label) + (o.difficult ? "d" : "") + (o.crowd ? "c" : "");
        for (const Keypoint& point : o.keypoints) add({point.x, point.y, static_cast<double>(point.visibility)});
      }
      text += "\n";
    }
  }
  return Sha256Hex(text);
}

}  // namespace hot
