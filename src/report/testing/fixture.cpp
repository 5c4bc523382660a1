#include "report/testing/fixture.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/hash.h"
#include "core/rng.h"
#include "report/testing/fixture_extras.h"
#include "report/testing/fixture_networks.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

void Write(const fs::path& path, const Json& json) {
  EnsureFolder(path.parent_path());
  std::ofstream(path) << json.dump(1) << "\n";  // not synced: a test has no use for that
}

Json Row(const std::string& part, const std::string& choice, double latency_ns) {
  const double macs = 9 * latency_ns;
  return {{"part", part},
          {"choice", choice},
          {"graph_key", Sha256Hex(part + choice)},
          {"macs", std::round(macs)},
          {"weight_bytes", std::round(macs / 400)},
          {"peak_bytes", std::round(macs / 60)},
          {"carried_bytes", part == "tail" ? 19200 : 0},
          {"latency_ns", latency_ns},
          {"low_ns", 0.985 * latency_ns},
          {"high_ns", 1.02 * latency_ns},
          {"raw_median_ns", 1.01 * latency_ns},
          {"samples", 48},
          {"steady", part != "slot6" || choice.find("fused-k5-e9") != 0}};
}

Json Table(double width, const std::string& precision) {
  const double factor = precision == "int8" ? 1.0 : 2.6;
  Json rows = Json::array();
  for (int slot = 1; slot <= kFixtureSlots; ++slot) {
    for (int block = 0; block < 3; ++block) {
      for (int kernel : {3, 5}) {
        for (int expansion : slot == 1 ? std::vector<int>{1} : std::vector<int>{3, 6, 9}) {
          rows.push_back(Row("slot" + std::to_string(slot), ChoiceName(block, kernel, expansion) + "@" + precision,
                             factor * ChoiceNs(slot, block, kernel, expansion, width)));
        }
      }
    }
  }
  for (const auto& [part, ns] :
       std::vector<std::pair<std::string, double>>{{"stem", 2.4e5}, {"tail", 3.1e5}, {"head", 5.2e5}}) {
    rows.push_back(Row(part, "", factor * width * ns));
  }
  return {{"width", width}, {"precision", precision}, {"rows", rows}};
}

Json CandidateJson(const FixtureNetwork& n) {
  return {{"id", n.id},
          {"rank", n.rank},
          {"objective", n.objective.empty() ? "accuracy" : n.objective},
          {"width", n.width},
          {"slots", n.slots},
          {"latency_ns", n.measured_ns()},
          {"macs", std::round(n.macs)},
          {"quality", n.score + 0.3},
          {"flash_kib", n.macs / 60000},
          {"ram_kib", n.macs / 90000},
          {"memory_kib", n.macs / 36000},
          {"solver", "exact"},
          {"optimal", true},
          {"solve_ns", 130000}};
}

void WriteSearch(const fs::path& folder, const std::vector<FixtureNetwork>& networks) {
  Json candidates = Json::array(), verified = Json::array();
  Rng rng(11);
  for (const FixtureNetwork& n : networks) {
    if (n.rank > 0) candidates.push_back(CandidateJson(n));
    if (verified.size() == 20) continue;
    const double measured = n.measured_ns() * (1 + 0.012 * rng.Normal());
    verified.push_back({{"id", n.id},
                        {"width", n.width},
                        {"predicted_ns", n.measured_ns()},
                        {"plain_sum_ns", n.sum_ns},
                        {"measured_ns", measured},
                        {"low_ns", 0.985 * measured},
                        {"high_ns", 1.02 * measured},
                        {"steady", true}});
  }
  // One network found by both objectives: listed twice.
  Json twice = CandidateJson(networks[1]);
  twice["objective"] = "latency";
  twice["rank"] = 4;
  candidates.push_back(twice);
  const Json budgets{{"latency_ms", 1.95}, {"flash_kib", nullptr}, {"ram_kib", nullptr}, {"memory_kib", nullptr}};
  const Json baseline = CandidateJson(networks[0]);
  Json search{{"version", 1}, {"baseline", baseline}, {"budgets", budgets}, {"candidates", candidates}};
  search.update(FixtureSearchSpace());
  Write(folder / "search.json", search);
  Write(folder / "verify.json", {{"version", 1},
                                 {"baseline", baseline},
                                 {"budgets", budgets},
                                 {"candidates", candidates},
                                 {"corrections",
                                  {{{"width", 0.35}, {"intercept_ns", 88100.0}, {"slope", 1.061}},
                                   {{"width", 0.5}, {"intercept_ns", 90400.0}, {"slope", 1.058}}}},
                                 {"networks", verified},
                                 {"median_error_pct", 0.9},
                                 {"plain_sum_median_error_pct", 10.2}});
}

void WriteCurve(const fs::path& folder, double final_score, Rng& rng) {
  std::string lines;
  for (int epoch = 1; epoch <= 150; ++epoch) {
    const double fade = std::exp(-epoch / 35.0);
    Json line{
        {"epoch", epoch}, {"loss", 1.6 + 9 * fade + 0.1 * rng.Normal() * (0.2 + fade)}, {"lr", 2e-3}, {"seconds", 4.1}};
    if (epoch % 10 == 0) line["val"] = std::max(0.0, final_score * (1 - fade) + 0.006 * rng.Normal());
    lines += line.dump() + "\n";
  }
  EnsureFolder(folder);
  std::ofstream(folder / "epochs.jsonl") << lines;
}

void WriteTraining(const fs::path& folder, const std::vector<FixtureNetwork>& networks, int trained) {
  Rng rng(13);
  Json list = Json::array();
  for (const FixtureNetwork& n : networks) {
    if (n.rank > trained) continue;
    Json trials = Json::array();
    for (double lr : {0.001, 0.002}) {
      const std::string name = n.id + (lr > 0.0015 ? "-gamma0.3-lr0.002" : "-gamma0.3-lr0.001");
      if (lr > 0.0015 || n.objective != "latency" || n.rank != 2) {
        const double score = n.score + (lr > 0.0015 ? 0.01 : -0.02);
        trials.push_back({{"trial", name},
                          {"point", {{"lr", lr}, {"gamma", 0.3}}},
                          {"lr", lr},
                          {"gamma", 0.3},
                          {"val_score", score},
                          {"train_loss", 1.7},
                          {"epochs", 150},
                          {"seconds", 612.0 + 20 * rng.Normal()},
                          {"cpu_seconds", 301.5},
                          {"state", "done"},
                          {"error", ""}});
        WriteCurve(folder / "trials" / name, score, rng);
      } else {
        trials.push_back({{"trial", name},
                          {"point", {{"lr", lr}, {"gamma", 0.3}}},
                          {"lr", lr},
                          {"gamma", 0.3},
                          {"state", "failed"},
                          {"error", "the loss is not finite in epoch 12"}});
      }
    }
    list.push_back({{"id", n.id}, {"role", n.name()}, {"trials", trials}, {"best", n.id + "-gamma0.3-lr0.002"}});
  }
  Write(folder / "train.json", {{"version", 1}, {"metric", "ap50"}, {"networks", list}});
}

Json QuantizedLayers(Rng& rng) {
  Json layers = Json::array();
  for (int i = 1; i <= 54; ++i) {
    layers.push_back({{"layer", "conv" + std::to_string(i)},
                      {"ranges", i % 3 == 0 ? "mse" : "kl"},
                      {"sqnr_db", std::round(10 * (38 - 0.25 * i + 2 * rng.Normal())) / 10}});
  }
  return layers;
}

void WriteQuantization(const fs::path& folder, const std::vector<FixtureNetwork>& networks, int trained) {
  Rng rng(19);
  Json list = Json::array();
  for (const FixtureNetwork& n : networks) {
    if (n.rank > trained) continue;
    Json entry = Json::parse(R"({"precision": "int8", "scheme": "s8s8", "seconds": 1.3, "holds": true,
        "float_layers": ["conv1"], "fine_tuned": {"epochs": 5, "before": 0.51, "after": 0.55, "kept": true}})");
    entry.update({{"id", n.id}, {"fp32", n.score}, {"score", n.score - 0.004}, {"layers", QuantizedLayers(rng)}});
    list.push_back(entry);
  }
  Write(folder / "quantize.json",
        {{"version", 1},
         {"score", "ap50"},
         {"options", {{"ranges", "auto"}, {"rounding", "adaptive"}, {"pictures", 128}, {"max_drop", 1.0}}},
         {"networks", list}});
}

Json LayerPrecisions(bool int8) {
  Json layers = Json::object();
  for (int i = 1; i <= 54; ++i) layers["conv" + std::to_string(i)] = int8 && i > 2 ? "i8" : "f32";
  return layers;
}

Json ClassScores(double score) {
  const std::vector<std::pair<std::string, double>> shifts{{"RBC", 0.05}, {"WBC", 0.2}, {"Platelets", -0.25}};
  Json classes = Json::array();
  for (const auto& [label, shift] : shifts) {
    classes.push_back({{"name", label}, {"ap", 0.6 * (score + shift)}, {"ap50", score + shift}});
  }
  return classes;
}

Json Deviations() {
  return {{{"output", "head.map0.boxes"}, {"max_lsb", 0.98}, {"rms_lsb", 0.12}, {"share", 0.0004}, {"noise_lsb", 1.8}},
          {{"output", "head.map0.classes"}, {"max_lsb", 0.41}, {"rms_lsb", 0.03}, {"share", 0.0}, {"noise_lsb", 2.1}}};
}

Json Artifact(const fs::path& folder, const FixtureNetwork& n, const std::string& precision, Rng& rng) {
  const bool int8 = precision == "int8";
  const std::string name = "artifacts/" + n.id + "-" + precision;
  Write(folder / name / "manifest.json",
        {{"version", int8 ? 2 : 1}, {"precision", precision}, {"layer_precisions", LayerPrecisions(int8)}});
  const double ns = n.measured_ns() * (int8 ? 1.0 : 2.5) * (1 + 0.01 * rng.Normal());
  const double score = n.score + (int8 ? 0.0 : 0.006 + 0.004 * rng.Normal());
  Json latency{{"median_ns", ns}, {"low_ns", 0.985 * ns}, {"high_ns", 1.022 * ns}, {"raw_median_ns", ns}};
  latency.update({{"p90_ns", 1.06 * ns}, {"samples", 64}, {"steady", true}});
  latency["predicted_ns"] = int8 ? n.measured_ns() : 0;
  Json test{{"score", score}, {"coco_ap", 0.6 * score}, {"ap50", score}, {"ap75", 0.5 * score}, {"voc07", score}};
  test.update({{"low", score - 0.024}, {"high", score + 0.022}, {"per_class", ClassScores(score)}});
  return {{"precision", precision},
          {"sha256", Sha256Hex(name)},
          {"bytes", std::round(n.macs / (int8 ? 55 : 14))},
          {"folder", name},
          {"latency", latency},
          {"val", {{"coco_ap", 0.6 * score}, {"ap50", score + 0.008}, {"voc07", score}}},
          {"test", test},
          {"layers", {{"f32", int8 ? 2 : 54}, {"i8", int8 ? 52 : 0}}},
          {"resident_kib", std::round(n.macs / (int8 ? 40'000 : 11'000))},
          {"deviations", int8 ? Deviations() : Json::array()}};
}

Json EvaluatedJson(const fs::path& folder, const FixtureNetwork& n, const FixtureNetwork& baseline, Rng& rng) {
  Json objectives = n.objective.empty() ? Json::array() : Json::array({n.objective});
  if (n.objective == "accuracy" && n.rank == 1 && n.width == 0.5) objectives.push_back("latency");
  Json json{{"id", n.id},
            {"role", n.name()},
            {"objectives", objectives},
            {"width", n.width},
            {"slots", n.slots},
            {"macs", std::round(n.macs)},
            {"params", std::round(n.macs / 55)},
            {"flash_kib", n.macs / 60000},
            {"ram_kib", n.macs / 90000},
            {"artifacts", {Artifact(folder, n, "int8", rng), Artifact(folder, n, "fp32", rng)}}};
  if (n.objective.empty()) return json;
  const double difference = n.score - baseline.score;
  const double ratio = n.measured_ns() / baseline.measured_ns();
  json["against_baseline"] = {{"precision", "int8"},
                              {"difference", difference},
                              {"low", difference - 0.038},
                              {"high", difference + 0.038},
                              {"shown", std::abs(difference) > 0.038},
                              {"latency_ratio", ratio},
                              {"relative_accuracy_pct", 100 * difference / baseline.score},
                              {"relative_latency_pct", 100 * (ratio - 1)}};
  return json;
}

void WriteEvaluation(const fs::path& folder, const std::vector<FixtureNetwork>& networks, int trained) {
  Rng rng(17);
  Json list = Json::array();
  const FixtureNetwork* best = &networks[0];
  const FixtureNetwork* fastest = &networks[0];
  for (const FixtureNetwork& n : networks) {
    if (n.rank > trained) continue;
    list.push_back(EvaluatedJson(folder, n, networks[0], rng));
    const double latency_ns = list.back()["artifacts"][0]["latency"]["median_ns"];
    if (latency_ns < 1.95e6 && n.score > best->score) best = &n;
    if (n.score > networks[0].score && n.sum_ns < fastest->sum_ns) fastest = &n;
  }
  const std::string verdict =
      "Fastest without loss on val: " + fastest->id +
      " takes -27.9 % of latency against the baseline, no difference shown in "
      "accuracy (+3.5 points of ap50, 95 % interval -0.3 to +7.3). Most accurate within the budget: " +
      best->id +
      " takes -24.8 % of latency against the baseline, +4.1 points of ap50 (95 % interval +0.3 to +7.9; +7.9 % "
      "relative).";
  Write(folder / "evaluation.json", {{"version", 1},
                                     {"metric", "ap50"},
                                     {"test_pictures", 72},
                                     {"networks", list},
                                     {"winners", {{"accuracy", best->id}, {"latency", fastest->id}}},
                                     {"verdict", verdict}});
  WriteFixtureSamples(folder, {networks[0].id, best->id, fastest->id});
}

void WriteStudy(const fs::path& folder) {
  Write(folder / "study.json",
        {{"version", 1},
         {"name", "bccd"},
         {"model",
          {{"backbone", "mobilenet_v2"},
           {"width", {0.5, 0.35}},
           {"baseline_width", nullptr},
           {"task", "ssd"},
           {"input", {160, 160}}}},
         {"data", {{"format", "voc"}, {"root", "data/bccd"}, {"train", "trainval"}, {"val", ""}, {"test", "test"}}},
         {"target", {{"device", "host"}, {"toolchain", "openvino"}, {"precision", {"int8", "fp32"}}, {"threads", 1}}},
         {"search",
          {{"objective", {"accuracy", "latency"}}, {"latency_ms", 1.95}, {"candidates", 3}, {"train_candidates", 2}}},
         {"train",
          {{"epochs", 150},
           {"batch", 16},
           {"metric", "ap50"},
           {"hpo", {{"method", "grid"}, {"lr", {0.001, 0.002}}, {"gamma", {0.3}}}}}},
         {"run", {{"seed", 0}, {"workers", 0}}}});
  const std::vector<std::pair<std::string, double>> stages{{"profile", 412.0}, {"search", 0.4},    {"verify", 38.0},
                                                           {"train", 9800.0},  {"quantize", 21.0}, {"compile", 14.0},
                                                           {"evaluate", 95.0}};
  for (const auto& [stage, seconds] : stages) {
    Write(folder / "stages" / (stage + ".json"), {{"version", 1},
                                                  {"stage", stage},
                                                  {"inputs", Sha256Hex(stage)},
                                                  {"seconds", seconds},
                                                  {"summary", "everything that " + stage + " does is done"},
                                                  {"finished", "2026-11-24T01:47:00Z"}});
  }
}

}  // namespace

void WriteFixtureRun(const fs::path& folder, const FixtureSize& size) {
  WriteStudy(folder);
  WriteFixtureScores(folder, {0.5, 0.35});
  Json tables = Json::array();
  for (const char* precision : {"int8", "fp32"}) {
    for (double width : {0.5, 0.35}) tables.push_back(Table(width, precision));
  }
  const Json info{{"board", "Example board"},
                  {"cpu", "Example CPU at 2.4 GHz"},
                  {"kernel", "6.1.0"},
                  {"governor", "performance"},
                  {"smt", "0"},
                  {"logical_cpus", 4},
                  {"cores", {{"", 2}}},
                  {"memory_gib", 7.6}};
  Write(folder / "table.json",
        {{"version", 1},
         {"device", {{"name", "host"}, {"fingerprint", Sha256Hex("host").substr(0, 16)}, {"info", info}}},
         {"toolchain", "openvino"},
         {"toolchain_version", "2026.4.1"},
         {"flags", "INFERENCE_NUM_THREADS=1"},
         {"threads", 1},
         {"tables", tables}});
  const std::vector<FixtureNetwork> networks = FixtureNetworks(size.ranks);
  WriteSearch(folder, networks);
  WriteTraining(folder, networks, size.trained);
  WriteQuantization(folder, networks, size.trained);
  WriteEvaluation(folder, networks, size.trained);
}

}  // namespace hot
