#include "report/run_data.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/read_json.h"
#include "deploy/artifact.h"
#include "report/run_samples.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxDepth = 64;        // of a JSON file; ours have less than 10
constexpr size_t kMostPoints = 200;  // of a curve: more than a chart's pixels show, few enough for a small file
// A stage runs again when its manifest is gone, not when only its result is.
constexpr const char* kRemake = "delete it and its stage's file in stages/, then run hot optimize again";

void CheckNetworks(const fs::path& path, const Json& json) {
  const auto networks = json.find("networks");
  if (networks == json.end()) return;
  const bool objects = networks->is_array() &&
                       std::all_of(networks->begin(), networks->end(), [](const Json& n) { return n.is_object(); });
  if (!objects) throw Error(Code::kDataLoss, path.string(), "\"networks\" is no list of objects", kRemake);
}

// "file:line:column" of the `byte`-th byte; all three count from 1.
std::string PlaceOf(const fs::path& path, std::string_view text, size_t byte) {
  const std::string_view before = text.substr(0, byte > 0 ? byte - 1 : 0);
  const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0: the first line
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  return path.string() + ":" + std::to_string(line) + ":" + std::to_string(before.size() - line_begin + 1);
}

// For the JSON parser.
auto DepthOf(const fs::path& path) {
  return CheckDepth<Json>(kMaxDepth,
                          [path] { throw Error(Code::kDataLoss, path.string(), "is nested too deep", kRemake); });
}

// As it stands in the run folder, or null when the stage has not written it. `newest`: version that is understood.
Json ReadObject(const fs::path& path, int newest = 1) {
  if (!fs::exists(path)) return nullptr;
  const std::string text = ReadFile(path);
  Json json;
  try {
    json = Json::parse(text, DepthOf(path));
  } catch (const Json::parse_error& error) {
    throw Error(Code::kDataLoss, PlaceOf(path, text, error.byte), "is broken: no valid JSON from here on", kRemake);
  }
  if (!json.is_object()) throw Error(Code::kDataLoss, path.string(), "is no JSON object", kRemake);
  const auto version = json.find("version");
  if (version == json.end() || !version->is_number() || *version < 1 || *version > newest) {
    throw Error(Code::kDataLoss, path.string(),
                "is not of version 1" + (newest == 1 ? "" : " to " + std::to_string(newest)),
                "use the version of hot that wrote it");
  }
  CheckNetworks(path, json);
  return json;
}

// Text of a field that may be missing.
std::string Text(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Json ReadStages(const fs::path& folder) {
  Json stages = Json::object();
  if (!fs::is_directory(folder)) return stages;
  for (const fs::path& path : ListFiles(folder)) {
    if (path.extension() == ".json") stages[path.stem().string()] = ReadObject(path);
  }
  return stages;
}

// {"epoch": [...], "loss": [...], "val": [... or null]}, thinned to kMostPoints (the last epoch stays). A last line
// without its end is one that a kill cut off, and left out.
Json ReadCurve(const fs::path& path) {
  std::vector<Json> records;
  const std::string text = ReadFile(path);
  size_t line = 1;
  for (size_t begin = 0, end = text.find('\n'); end != std::string::npos;
       begin = end + 1, end = text.find('\n', begin)) {
    const Json record =
        Json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin), text.begin() + static_cast<std::ptrdiff_t>(end),
                    DepthOf(path), /*allow_exceptions=*/false);
    if (!record.is_object() || !record.contains("epoch")) {
      throw Error(Code::kDataLoss, path.string() + ":" + std::to_string(line), "is no record of an epoch",
                  "run hot train again");
    }
    records.push_back(record);
    ++line;
  }
  Json curve{{"epoch", Json::array()}, {"loss", Json::array()}, {"val", Json::array()}};
  const size_t step = std::max<size_t>(1, (records.size() + kMostPoints - 1) / kMostPoints);
  for (size_t i = 0; i < records.size(); ++i) {
    // Validation is rarer than epochs, so its points are never thinned out.
    if (i % step != 0 && i + 1 != records.size() && !records[i].contains("val")) continue;
    for (const char* key : {"epoch", "loss", "val"}) curve[key].push_back(records[i].value(key, Json()));
  }
  return curve;
}

// Curves of every network's best trial.
Json ReadCurves(const fs::path& folder, const Json& train) {
  Json curves = Json::object();
  if (!train.is_object() || !train.contains("networks")) return curves;
  for (const Json& network : train["networks"]) {
    const std::string best = Text(network, "best");
    const fs::path path = folder / "trials" / best / "epochs.jsonl";
    if (!best.empty() && fs::exists(path)) curves[best] = ReadCurve(path);
  }
  return curves;
}

// {artifact folder: {layer: precision}} from the manifests, of artifacts that are (still) there.
Json ReadLayers(const fs::path& folder, const Json& evaluation) {
  Json layers = Json::object();
  if (!evaluation.is_object() || !evaluation.contains("networks")) return layers;
  for (const Json& network : evaluation["networks"]) {
    for (const Json& artifact : network.value("artifacts", Json::array())) {
      const std::string name = Text(artifact, "folder");
      const Json manifest = name.empty() ? Json() : ReadObject(folder / name / "manifest.json", Artifact().version);
      if (manifest.is_object()) layers[name] = manifest.value("layer_precisions", Json::object());
    }
  }
  return layers;
}

}  // namespace

RunData ReadRunData(const fs::path& run_folder) try {
  const fs::path study_path = run_folder / "study.json";
  if (!fs::exists(study_path)) {
    throw Error(Code::kNotFound, run_folder.string(), "is no run folder: it has no study.json",
                "run hot optimize first");
  }
  Json root{{"study", ReadObject(study_path)}, {"stages", ReadStages(run_folder / "stages")}};
  for (const char* name : {"table", "distill", "search", "verify", "train", "quantize", "evaluation"}) {
    root[name] = ReadObject(run_folder / (std::string(name) + ".json"));
  }
  root["curves"] = ReadCurves(run_folder, root["train"]);
  root["layers"] = ReadLayers(run_folder, root["evaluation"]);
  root["samples"] = ReadObject(run_folder / "samples.json");
  EmbedPictures(run_folder, root["samples"]);
  RunData data;
  data.name = Text(root["study"], "name");
  data.verdict = Text(root["evaluation"], "verdict");
  data.json = root.dump(-1, ' ', false, Json::error_handler_t::replace);
  return data;
} catch (const nlohmann::json::exception& error) {
  throw Error(Code::kDataLoss, run_folder.string(), std::string("holds JSON of another shape: ") + error.what(),
              "run the stages again");
}

}  // namespace hot
