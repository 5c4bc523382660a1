#include "pipeline/networks.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "graph/key.h"
#include "pipeline/formats.h"

namespace hot {

using Json = nlohmann::ordered_json;

Graph GraphOf(const Workspace& workspace, double width, const std::vector<Choice>& choices) {
  return BuildNetwork(workspace.backbone(), width, choices, workspace.task());
}

std::string NetworkId(const Workspace& workspace, double width, const std::vector<Choice>& choices) {
  const Graph graph = GraphOf(workspace, width, choices);
  std::string key = GraphKey(graph, workspace.precision());
  const std::set<std::string> in_float = WholeJob(workspace, graph, choices).float_layers;
  if (!in_float.empty()) key = Sha256Hex(key + " " + LayerRanges(graph, in_float));
  return key.substr(0, 12);
}

Json ToJson(const Workspace& workspace, const Candidate& candidate) {
  Json slots = Json::array();
  for (const Choice& choice : candidate.choices) slots.push_back(choice.Name());
  Json json{{"id", NetworkId(workspace, candidate.width, candidate.choices)},
            {"rank", candidate.rank},
            {"objective", ObjectiveName(candidate.objective)},
            {"width", candidate.width},
            {"slots", slots},
            {"latency_ns", static_cast<int64_t>(candidate.latency_ns)},
            {"macs", candidate.macs},
            {"flash_kib", static_cast<double>(candidate.flash_bytes) / 1024},
            {"ram_kib", static_cast<double>(candidate.ram_bytes) / 1024},
            {"memory_kib", static_cast<double>(candidate.memory_bytes) / 1024},
            {"solver", candidate.solver},
            {"optimal", candidate.optimal},
            {"solve_ns", candidate.solve_ns}};
  if (candidate.quality) json["quality"] = *candidate.quality;
  return json;
}

Candidate CandidateFromJson(const Json& json) {
  Candidate candidate;
  candidate.objective = json.at("objective") == "latency" ? Objective::kLatency : Objective::kAccuracy;
  candidate.rank = json.at("rank");
  candidate.width = json.at("width");
  for (const Json& slot : json.at("slots")) candidate.choices.push_back(Choice::Parse(slot.get<std::string>()));
  candidate.latency_ns = json.at("latency_ns");
  candidate.macs = json.at("macs");
  return candidate;
}

std::vector<StudyNetwork> StudyNetworks(const Workspace& workspace, bool trained_only) {
  const Json verified = ReadRunJson(workspace, "verify.json");
  const int64_t trained = workspace.study().search.train_candidates;
  std::vector<StudyNetwork> networks;
  const auto add = [&](const Json& json, bool baseline) {
    const std::string id = json.at("id");
    auto known = std::find_if(networks.begin(), networks.end(), [&](const StudyNetwork& n) { return n.id == id; });
    const Candidate candidate = CandidateFromJson(json);
    if (known == networks.end()) {
      StudyNetwork network;
      network.id = id;
      network.baseline = baseline;
      network.width = candidate.width;
      network.choices = candidate.choices;
      network.predicted_ns = candidate.latency_ns;
      known = networks.insert(networks.end(), std::move(network));
    }
    auto& objectives = known->objectives;
    const std::string objective = ObjectiveName(candidate.objective);
    if (!baseline && std::count(objectives.begin(), objectives.end(), objective) == 0) objectives.push_back(objective);
  };
  add(verified.at("baseline"), true);
  for (const Json& candidate : verified.at("candidates")) {
    if (!trained_only || trained == 0 || candidate.at("rank").get<int64_t>() <= trained) add(candidate, false);
  }
  return networks;
}

std::string TrainedId(const Workspace& workspace, const StudyNetwork& network) {
  return NetworkId(workspace, network.width, WithPrecision(network.choices, workspace.precision()));
}

std::vector<StudyNetwork> TrainedOnce(const Workspace& workspace, const std::vector<StudyNetwork>& networks) {
  std::vector<StudyNetwork> trained;
  for (const StudyNetwork& network : networks) {
    const std::string id = TrainedId(workspace, network);
    const auto known = std::ranges::find(trained, id, &StudyNetwork::id);
    if (known == trained.end()) {
      trained.push_back(network);
      trained.back().id = id;
      trained.back().choices = WithPrecision(network.choices, workspace.precision());
      continue;
    }
    for (const std::string& objective : network.objectives) {
      if (std::ranges::count(known->objectives, objective) == 0) known->objectives.push_back(objective);
    }
  }
  return trained;
}

Json ReadRunJson(const Workspace& workspace, const std::string& file) {
  const fs::path path = workspace.folder() / file;
  try {
    return Json::parse(ReadFile(path));
  } catch (const nlohmann::json::exception& error) {
    throw Error(Code::kDataLoss, path.string(), std::string("is broken: ") + error.what(), "delete it and run again");
  }
}

void WriteRunJson(const Workspace& workspace, const std::string& file, const Json& json) {
  WriteFileAtomic(workspace.folder() / file, json.dump(1) + "\n");
}

}  // namespace hot
