#include "report/run_data.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/hash.h"
#include "deploy/artifact.h"
#include "report/curve.h"
#include "report/run_samples.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

// A stage runs again when its manifest is gone, not when only its result is.
constexpr const char* kRemake = "delete it and its stage's file in stages/, then run hot optimize again";

// Files of the run folder that stages write, by name.
constexpr const char* kResults[] = {"table", "distill", "search", "verify", "train", "quantize", "evaluation"};

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

// As it stands in the run folder, or null when the stage has not written it. `newest`: version that is understood.
Json ReadObject(const fs::path& path, int newest = 1) {
  if (!fs::exists(path)) return nullptr;
  const std::string text = ReadFile(path);
  Json json;
  try {
    json = ParseFileText(path, text, kRemake, /*allow_exceptions=*/true);
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

std::string RunDataStamp(const fs::path& run_folder) {
  std::string text = FileStamp(run_folder / "study.json") + FileStamp(run_folder / "samples.json");
  for (const char* name : kResults) text += FileStamp(run_folder / (std::string(name) + ".json"));
  std::error_code ignored;  // a study that begins from scratch removes files while we look
  for (const auto& entry : fs::directory_iterator(run_folder / "stages", ignored)) {
    text += entry.path().filename().string() + FileStamp(entry.path());
  }
  return Sha256Hex(text);
}

RunData ReadRunData(const fs::path& run_folder) try {
  const fs::path study_path = run_folder / "study.json";
  if (!fs::exists(study_path)) {
    throw Error(Code::kNotFound, run_folder.string(), "is no run folder: it has no study.json",
                "run hot optimize first");
  }
  Json root{{"study", ReadObject(study_path)}, {"stages", ReadStages(run_folder / "stages")}};
  for (const char* name : kResults) root[name] = ReadObject(run_folder / (std::string(name) + ".json"));
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
