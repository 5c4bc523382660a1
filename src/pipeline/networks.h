// Networks of a study as the stages pass them on: a candidate or the baseline with its id. Values.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "pipeline/workspace.h"
#include "search/auto_search.h"

namespace hot {

// One network that is trained and measured, found by one or several searches.
struct StudyNetwork {
  std::string id;  // first 12 characters of the graph key; with slots in another format, of a hash of both
  bool baseline = false;
  double width = 1.0;
  std::vector<Choice> choices;
  std::vector<std::string> objectives;  // that found it
  double predicted_ns = 0;
};

Graph GraphOf(const Workspace& workspace, double width, const std::vector<Choice>& choices);
std::string NetworkId(const Workspace& workspace, double width, const std::vector<Choice>& choices);

nlohmann::ordered_json ToJson(const Workspace& workspace, const Candidate& candidate);
Candidate CandidateFromJson(const nlohmann::ordered_json& json);

// Baseline first, then candidates of verify.json in order, each network once. `trained_only` keeps the first
// search.train_candidates per objective and width.
std::vector<StudyNetwork> StudyNetworks(const Workspace& workspace, bool trained_only);

// What is trained for `network`: its blocks, in the study's first format. Networks that differ in the formats of their
// slots share a training.
std::string TrainedId(const Workspace& workspace, const StudyNetwork& network);
// Those of `networks`, each once, with the objectives of all that share it.
std::vector<StudyNetwork> TrainedOnce(const Workspace& workspace, const std::vector<StudyNetwork>& networks);

// Parsed JSON of a file in the run folder. Throws Error(kDataLoss) on broken text, kNotFound when it is missing.
nlohmann::ordered_json ReadRunJson(const Workspace& workspace, const std::string& file);
void WriteRunJson(const Workspace& workspace, const std::string& file, const nlohmann::ordered_json& json);

}  // namespace hot
