#include "report/run_data.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostPoints = 200;  // of a curve: more than a chart's pixels show, few enough for a small file

// As it stands in the run folder, or null when the stage has not written it.
Json ReadObject(const fs::path& path) {
  if (!fs::exists(path)) return nullptr;
  Json json;
  try {
    json = Json::parse(ReadFile(path));
  } catch (const nlohmann::json::exception& error) {
    throw Error(Code::kDataLoss, path.string(), std::string("is broken: ") + error.what(), "delete it and run again");
  }
  if (!json.is_object()) throw Error(Code::kDataLoss, path.string(), "is no JSON object", "delete it and run again");
  if (const auto version = json.find("version"); version == json.end() || *version != 1) {
    throw Error(Code::kDataLoss, path.string(), "is not of version 1", "use the version of hot that wrote it");
  }
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
  for (size_t begin = 0, end = text.find('\n'); end != std::string::npos; begin = end + 1, end = text.find('\n', begin)) {
    const Json record = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                    text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, /*allow_exceptions=*/false);
    if (!record.is_object() || !record.contains("epoch")) {
      throw Error(Code::kDataLoss, path.string() + ":" + std::to_string(line), "is no record of an epoch", "run hot train again");
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

}  // namespace

RunData ReadRunData(const fs::path& run_folder) {
  const fs::path study_path = run_folder / "study.json";
  if (!fs::exists(study_path)) {
    throw Error(Code::kNotFound, run_folder.string(), "is no run folder: it has no study.json", "run hot optimize first");
  }
  Json root{{"run", run_folder.filename().string()}, {"study", ReadObject(study_path)}, {"stages", ReadStages(run_folder / "stages")}};
  for (const char* name : {"table", "search", "verify", "train", "evaluation"}) {
    root[name] = ReadObject(run_folder / (std::string(name) + ".json"));
  }
  root["curves"] = ReadCurves(run_folder, root["train"]);
  RunData data;
  data.name = Text(root["study"], "name");
  data.verdict = Text(root["evaluation"], "verdict");
  data.json = root.dump(-1, ' ', false, Json::error_handler_t::replace);
  return data;
}

}  // namespace hot
