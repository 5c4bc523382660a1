// The source paper's headline (section 5): a study is run whole with three seeds, and its candidates are compared with
// its baseline on the test pictures, as artifacts on the device: the fastest whose accuracy is not below the
// baseline's, beside the fastest of all, and the most accurate of each width within the budget. Accuracies are means
// over the seeds; their intervals are of a paired bootstrap over pictures. Seeds share table and journal; all of it
// lies in FOLDER and is taken up again by the same command. Prints a table in Markdown, last line: JSON. Usage:
// hot_bench_headline FOLDER STUDY [KEY=VALUE]...
#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "measure/measure.h"
#include "pipeline/deployment.h"
#include "pipeline/scoring.h"
#include "pipeline/stage.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSeeds = 3, kRounds = 2000;

// A network of the study. Vectors: by seed.
struct Row {
  std::string id;
  std::vector<std::string> objectives;  // empty: the baseline
  double width = 1;
  double mega_macs = 0;
  std::vector<double> latency_ns, latency_ratio, score;
  std::vector<std::vector<ScoredPicture>> test;
  PairedDifference gain;  // of the score, candidate - baseline

  bool baseline() const { return objectives.empty(); }
  bool Found(const std::string& objective) const {
    return std::ranges::find(objectives, objective) != objectives.end();
  }
};

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double Median(const std::vector<double>& values) { return MedianWithInterval(values).median; }

Row& RowOf(std::vector<Row>& rows, const Json& network) {
  const auto id = network["id"].get<std::string>();
  const auto found = std::ranges::find(rows, id, &Row::id);
  if (found != rows.end()) return *found;
  Row& row = rows.emplace_back();
  row.id = id;
  row.objectives = network["objectives"].get<std::vector<std::string>>();
  row.width = network["width"];
  row.mega_macs = network["macs"].get<double>() * 1e-6;
  return row;
}

// Boxes are compared by the source paper's mAP, whatever metric the study trains by.
ScoreOptions Scoring(const Workspace& workspace) {
  ScoreOptions scoring = workspace.Scoring();
  if (scoring.predicted == Predicted::kBoxes) scoring.metric = Metric::kCocoAp;
  return scoring;
}

// One seed's study, whole; adds what came out to the rows.
ScoreOptions RunSeed(Study study, int seed, const fs::path& folder, const Context& context, std::vector<Row>& rows) {
  study.run.seed = seed;
  study.run.folder = (folder / ("seed" + std::to_string(seed))).string();
  study.run.journal = (folder / "journal.sqlite").string();
  Workspace workspace(std::move(study), context);
  RunStages(workspace, "evaluate");
  const ScoreOptions scoring = Scoring(workspace);
  const Dataset test = ReadDataset(workspace.TestSource());
  double baseline_ns = 0;
  const Json evaluation = ReadRunJson(workspace, "evaluation.json");
  for (const Json& network : evaluation.at("networks")) {  // the baseline is the first
    Row& row = RowOf(rows, network);
    const Artifact artifact = ReadArtifact(ArtifactFolder(workspace, row.id, workspace.precision()));
    const auto session = workspace.device().Load(artifact);
    row.test.push_back(DetectPictures(*session, workspace.task(), test, artifact.preprocessing));
    row.score.push_back(Score(row.test.back(), scoring));
    for (const Json& built : network["artifacts"]) {
      if (built["precision"] != PrecisionName(workspace.precision())) continue;
      row.latency_ns.push_back(built["latency"]["statistic_ns"]);
    }
    if (row.baseline()) baseline_ns = row.latency_ns.back();
    row.latency_ratio.push_back(row.latency_ns.back() / baseline_ns);
  }
  return scoring;
}

// Throws Error(kFailedPrecondition) where seeds found different networks: they did not share one table.
void Compare(std::vector<Row>& rows, const ScoreOptions& scoring) {
  const Row& baseline = rows.front();
  for (Row& row : rows) {
    if (row.test.size() != kSeeds) throw Error(Code::kFailedPrecondition, row.id, "not a network of all three seeds");
    std::vector<PairedSystems> trainings;
    for (size_t seed = 0; seed < kSeeds; ++seed) trainings.push_back({.a = &baseline.test[seed], .b = &row.test[seed]});
    row.gain = PairedBootstrap(trainings, scoring, kRounds, 1);
  }
}

Json ToJson(const Row& row, double baseline_score) {
  return {{"id", row.id},
          {"width", row.width},
          {"latency_pct", 100 * (Median(row.latency_ratio) - 1)},
          {"score", Mean(row.score)},
          {"gain_points", 100 * row.gain.difference},
          {"gain_low", 100 * row.gain.low},
          {"gain_high", 100 * row.gain.high},
          {"gain_pct", 100 * row.gain.difference / baseline_score}};
}

void PrintRow(const Row& row, double baseline_score) {
  std::array<char, 64> scores{};
  std::snprintf(scores.data(), scores.size(), "%.3f / %.3f / %.3f", row.score[0], row.score[1], row.score[2]);
  const Json json = ToJson(row, baseline_score);
  std::printf("| %s | %s | %.2f | %.1f | %.3f | %+.1f %% | %.3f (%s) | %+.1f [%+.1f, %+.1f] | %+.1f %% |\n",
              row.id.c_str(), row.baseline() ? "baseline" : JoinNames(row.objectives).c_str(), row.width, row.mega_macs,
              Median(row.latency_ns) * 1e-6, json["latency_pct"].get<double>(), Mean(row.score), scores.data(),
              json["gain_points"].get<double>(), json["gain_low"].get<double>(), json["gain_high"].get<double>(),
              json["gain_pct"].get<double>());
}

void Report(const std::vector<Row>& rows, const std::string& device, const ScoreOptions& scoring) {
  const double baseline_score = Mean(rows.front().score);
  std::printf(
      "| network | objective | width | M MACs | ms | latency | test %s, mean (seeds) | points [95 %%] | gain |\n",
      ScoreName(scoring).c_str());
  std::printf("|---|---|---|---|---|---|---|---|---|\n");
  Json json{{"bench", "headline"}, {"device", device}, {"score", ScoreName(scoring)}, {"baseline", baseline_score}};
  json["guarded"] = json["unguarded"] = nullptr;
  json["accuracy"] = Json::array();
  const Row *guarded = nullptr, *unguarded = nullptr;
  for (const Row& row : rows) {
    PrintRow(row, baseline_score);
    if (row.baseline()) continue;
    const auto faster = [&](const Row* other) {
      return other == nullptr || Median(row.latency_ratio) < Median(other->latency_ratio);
    };
    if (faster(unguarded)) unguarded = &row;
    if (row.gain.difference >= 0 && faster(guarded)) guarded = &row;
    if (row.Found("accuracy")) json["accuracy"].push_back(ToJson(row, baseline_score));
  }
  if (guarded != nullptr) json["guarded"] = ToJson(*guarded, baseline_score);
  if (unguarded != nullptr) json["unguarded"] = ToJson(*unguarded, baseline_score);
  std::printf("%s\n", json.dump().c_str());
}

void Run(const fs::path& folder, const std::string& file, const std::vector<std::string>& overrides) {
  const auto progress = MakeTerminalProgress(SystemClock());
  const std::atomic<bool> cancelled = false;
  const Context context{SystemClock(), *progress, cancelled};
  const Study study = ReadStudy(file, overrides);
  std::vector<Row> rows;
  ScoreOptions scoring;
  for (int seed = 0; seed < kSeeds; ++seed) scoring = RunSeed(study, seed, fs::absolute(folder), context, rows);
  Compare(rows, scoring);
  Report(rows, study.target.device, scoring);
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: scripts/bench headline FOLDER STUDY [KEY=VALUE]...\n");
    return 2;
  }
  try {
    hot::Run(argv[1], argv[2], {argv + 3, argv + argc});
    return 0;
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
