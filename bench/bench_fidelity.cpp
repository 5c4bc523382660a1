// Predicted v measured latency of whole networks: MobileNetV2-1.0 SSD at 320x320, seed space, one thread. The look-up
// table and 20 whole networks (the baseline and 19 in which every choice occurs about once) are measured as a study
// measures them; the cost model is fitted to those; 50 others are predicted, measured, and measured again. Each line of
// JSON is one precision or NPU, the worse one last.
//   host     fp32 and int8, or the one that follows, on this machine with OpenVINO (the default)
//   npus     int8 on the three Ethos-U, as Vela estimates them
//   context  int8 on this machine: also the baseline with one slot replaced, for every choice
//   mixed    int8 networks, and the same with each slot in int8 or fp32 (search.precision: slot), one cost model
//   budgets  int8 on this machine: 40 random budgets, what is returned for each measured again in a new process
// Usage: hot_bench_fidelity [host [PRECISION] | npus | context | mixed | budgets]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "bench_study.h"
#include "core/correlation.h"
#include "core/rng.h"
#include "core/subprocess.h"
#include "deploy/toolchains/vela/ethos_npu.h"
#include "fidelity_space.h"
#include "pipeline/closed_loop.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kBudgets = 40;

double Median(const std::vector<double>& values) { return MedianWithInterval(values).median; }

std::vector<double> ErrorsPct(const std::vector<double>& predicted, const std::vector<double>& measured) {
  std::vector<double> errors;
  for (size_t i = 0; i < measured.size(); ++i) errors.push_back(100 * std::abs(predicted[i] / measured[i] - 1));
  return errors;
}

CostCorrection FitTo(const FidelitySpace& space, const std::vector<Choices>& networks,
                     const std::vector<double>& measured) {
  std::vector<PredictedMeasured> pairs;
  for (size_t i = 0; i < networks.size(); ++i) pairs.push_back({space.PlainNs(networks[i]), measured[i]});
  return FitCorrection(pairs);
}

struct Result {
  std::string name;
  std::vector<double> plain, predicted, measured, again = {};  // held-out networks, the cheap ones last
  std::vector<double> context = {};

  double median_error() const { return Median(ErrorsPct(predicted, measured)); }
};

Json ToJson(const Result& r) {
  const auto cheap = [](const std::vector<double>& values) {
    return std::vector<double>(values.begin() + kHeldOut / 2, values.end());
  };
  Json json = {{"bench", "fidelity"},
               {"name", r.name},
               {"networks", r.measured.size()},
               {"median_error_pct", r.median_error()},
               {"p95_error_pct", Percentile(ErrorsPct(r.predicted, r.measured), 0.95)},
               {"spearman", Spearman(r.predicted, r.measured)},
               {"spearman_cheap", Spearman(cheap(r.predicted), cheap(r.measured))},
               {"plain_sum_median_error_pct", Median(ErrorsPct(r.plain, r.measured))},
               {"plain_sum_p95_error_pct", Percentile(ErrorsPct(r.plain, r.measured), 0.95)}};
  if (!r.again.empty()) {
    json["remeasure_median_error_pct"] = Median(ErrorsPct(r.again, r.measured));
    json["remeasure_p95_error_pct"] = Percentile(ErrorsPct(r.again, r.measured), 0.95);
  }
  if (!r.context.empty()) {
    json["in_context_median_error_pct"] = Median(ErrorsPct(r.context, r.measured));
    json["in_context_p95_error_pct"] = Percentile(ErrorsPct(r.context, r.measured), 0.95);
  }
  return json;
}

// The baseline plus, for every slot, what replacing its block alone changed.
std::vector<double> PredictInContext(const FidelitySpace& space, const std::vector<Choices>& networks) {
  std::vector<Choices> replaced{space.Baseline()};
  for (size_t slot = 0; slot < space.table.slots.size(); ++slot) {
    for (const TableRow& row : space.table.slots[slot]) {
      replaced.push_back(space.Baseline());
      replaced.back()[slot] = row.choice;
    }
  }
  const std::vector<double> measured = space.Measure(replaced, "in context");
  std::vector<double> predictions;
  for (const Choices& network : networks) {
    double ns = measured.front();
    size_t next = 1;
    for (size_t slot = 0; slot < network.size(); ++slot) {
      for (const TableRow& row : space.table.slots[slot]) {
        const double change = measured[next++] - measured.front();
        if (row.choice == network[slot]) ns += change;
      }
    }
    predictions.push_back(ns);
  }
  return predictions;
}

Result Compare(Workspace& workspace, const std::string& name, bool estimates, bool context) {
  const FidelitySpace space(workspace);
  const std::vector<Choices> held_out = space.HeldOut(), fit = space.Fitted(held_out);
  space.Measure({space.Baseline()}, "reference");  // before all others, as stage verify does
  const CostCorrection correction = FitTo(space, fit, space.Measure(fit, "fitted"));
  Result result{.name = name, .plain = {}, .predicted = {}, .measured = space.Measure(held_out, "held out")};
  for (const Choices& choices : held_out) {
    result.plain.push_back(space.PlainNs(choices));
    result.predicted.push_back(Predict(space.table, choices, correction).latency_ns);
  }
  if (!estimates) result.again = MeasureAgain(workspace, held_out);
  if (context) result.context = PredictInContext(space, held_out);
  return result;
}

void Print(std::vector<Result> results) {
  std::ranges::sort(results, {}, &Result::median_error);
  for (const Result& result : results) std::printf("%s\n", ToJson(result).dump().c_str());
}

void RunHost(const std::vector<std::string>& precisions, bool context) {
  BenchStudy studies;
  std::vector<Result> results;
  for (const std::string& precision : precisions) {
    Workspace workspace(studies.Fresh(kFidelityWidth, kFidelitySide, {precision}), studies.context());
    results.push_back(Compare(workspace, "host " + precision, false, context));
  }
  Print(results);
}

void RunNpus() {
  BenchStudy studies;
  std::vector<Result> results;
  for (const EthosNpu& npu : kEthosNpus) {
    Study study = studies.Fresh(kFidelityWidth, kFidelitySide, {"int8"});
    study.target.device = npu.name;
    study.target.toolchain = "vela";
    Workspace workspace(study, studies.context());
    results.push_back(Compare(workspace, std::string(npu.name) + " int8", true, false));
  }
  Print(results);
}

// Predicted v measured of these, and the errors of sums that leave out what changes of format cost.
Json MixedJson(const FidelitySpace& space, const CostCorrection& correction, const std::vector<Choices>& networks,
               const std::string& what) {
  LookupTable without_borders = space.table;
  without_borders.borders.clear();
  const std::vector<double> measured = space.Measure(networks, what);
  std::vector<double> predicted, plain;
  for (const Choices& choices : networks) {
    predicted.push_back(Predict(space.table, choices, correction).latency_ns);
    plain.push_back(Predict(without_borders, choices, correction).latency_ns);
  }
  return {{"bench", "fidelity"},
          {"name", "host " + what},
          {"networks", networks.size()},
          {"median_error_pct", Median(ErrorsPct(predicted, measured))},
          {"largest_error_pct", std::ranges::max(ErrorsPct(predicted, measured))},
          {"spearman", Spearman(predicted, measured)},
          {"without_borders_median_error_pct", Median(ErrorsPct(plain, measured))}};
}

void RunMixed() {
  constexpr int kMixed = 8;
  BenchStudy studies;
  Study study = studies.Fresh(kFidelityWidth, kFidelitySide, {"int8", "fp32"});
  study.search.precision = "slot";
  Workspace workspace(study, studies.context());
  const FidelitySpace space(workspace);
  Rng rng(3);
  std::vector<Choices> mixed, int8;
  for (int i = 0; i < kMixed; ++i) {
    mixed.push_back(space.Random(rng));
    int8.push_back(WithPrecision(mixed.back(), space.table.precision));
  }
  std::vector<Choices> fit = space.Fitted(int8);
  for (Choices& choices : fit) choices = WithPrecision(choices, space.table.precision);
  space.Measure({space.Baseline()}, "reference");
  const CostCorrection correction = FitTo(space, fit, space.Measure(fit, "fitted"));
  std::printf("%s\n", MixedJson(space, correction, int8, "int8").dump().c_str());
  std::fflush(stdout);
  std::printf("%s\n", MixedJson(space, correction, mixed, "mixed").dump().c_str());
}

// One budget: what was returned for it.
struct Answer {
  double budget_ns = 0;
  Choices choices = {};
  int64_t macs = 0;
  double measured_ns = 0, again_ns = 0;
};

// Networks that were measured whole for any budget.
struct Known {
  int64_t macs = 0;
  double latency_ns = 0;
};

Answer Ask(const FidelitySpace& space, double budget_ns, const VerifiedNetwork& baseline, std::vector<Known>& known) {
  const auto measure = [&](const std::vector<Candidate>& networks) {
    std::vector<Choices> choices;
    for (const Candidate& network : networks) choices.push_back(network.choices);
    std::vector<MeasurementRow> rows;
    for (const double latency : space.Measure(choices, "budget")) rows.emplace_back().median_ns = latency;
    return rows;
  };
  const auto solver = MakeSolver("exact");
  const std::vector<LookupTable> tables{space.table};
  const LoopResult result = CloseLoop({.tables = tables,
                                       .widths = {kFidelityWidth},
                                       .objectives = {Objective::kAccuracy},
                                       .budgets = {.latency_ms = budget_ns * 1e-6},
                                       .k = 1,
                                       .solver = *solver,
                                       .repeat_sigma = kRepeatSigma},
                                      baseline, measure);
  Answer answer{.budget_ns = budget_ns};
  for (const VerifiedNetwork& v : result.networks) {
    known.push_back({v.network.macs, v.row.median_ns});
    if (result.candidates.empty() || v.network.choices != result.candidates.front().choices) continue;
    answer.choices = v.network.choices;
    answer.macs = v.network.macs;
    answer.measured_ns = v.row.median_ns;
  }
  return answer;
}

Study BudgetStudy(BenchStudy& studies, const fs::path& folder) {
  Study study = studies.Fresh(kFidelityWidth, kFidelitySide, {"int8"});
  study.run.folder = folder.string();
  study.run.journal = (folder.parent_path() / "journal.sqlite").string();
  return study;
}

// The child: measures the networks of a file again, in a process of its own.
void RunAgain(const fs::path& folder) {
  BenchStudy studies;
  Workspace workspace(BudgetStudy(studies, folder / "again"), studies.context());
  std::vector<Choices> networks;
  for (const Json& names : Json::parse(ReadFile(folder / "networks.json"))) {
    auto& choices = networks.emplace_back();
    for (const Json& name : names) choices.push_back(Choice::Parse(name.get<std::string>()));
  }
  WriteFileAtomic(folder / "again.json", Json(MeasureAgain(workspace, networks)).dump());
}

void MeasureInNewProcess(const fs::path& program, const fs::path& folder, std::vector<Answer>& answers) {
  Json networks = Json::array();
  for (const Answer& answer : answers) {
    Json names = Json::array();
    for (const Choice& choice : answer.choices) names.push_back(choice.Name());
    networks.push_back(names);
  }
  WriteFileAtomic(folder / "networks.json", networks.dump());
  const ProcessResult child = RunProcess({program.string(), "again", folder.string()});
  if (!child.status.ok()) throw Error(Code::kInternal, "again", child.output);
  const Json latencies = Json::parse(ReadFile(folder / "again.json"));
  for (size_t i = 0; i < answers.size(); ++i) answers[i].again_ns = latencies[i].get<double>();
}

Json BudgetsJson(const std::vector<Answer>& answers, const std::vector<Known>& known) {
  int over = 0;
  double worst = 0, squares = 0;
  std::vector<double> macs, shares, differences;
  for (const Answer& answer : answers) {
    over += answer.again_ns > answer.budget_ns ? 1 : 0;
    worst = std::max(worst, answer.again_ns / answer.budget_ns - 1);
    shares.push_back(answer.measured_ns / answer.budget_ns);
    differences.push_back(std::abs(answer.again_ns / answer.measured_ns - 1));
    squares += differences.back() * differences.back();
    int64_t best = answer.macs;
    for (const Known& network : known) {
      if (network.latency_ns <= answer.budget_ns) best = std::max(best, network.macs);
    }
    macs.push_back(static_cast<double>(answer.macs) / static_cast<double>(best));
    std::printf("budget %7.3f ms  measured %7.3f  again %7.3f  MACs %.3f of the best known\n", answer.budget_ns * 1e-6,
                answer.measured_ns * 1e-6, answer.again_ns * 1e-6, macs.back());
  }
  return {{"bench", "fidelity budgets"},
          {"budgets", kBudgets},
          {"answered", answers.size()},
          {"measured_whole", known.size()},
          {"over", over},
          {"worst_over_pct", 100 * worst},
          {"median_macs_of_best_pct", 100 * Median(macs)},
          {"median_of_budget_pct", 100 * Median(shares)},
          {"again_median_pct", 100 * Median(differences)},
          {"again_rms_pct", 100 * std::sqrt(squares / static_cast<double>(answers.size()))}};
}

void RunBudgets(const fs::path& program) {
  const TempFolder folder;
  BenchStudy studies;
  std::vector<Answer> answers;
  std::vector<Known> known;
  {
    Workspace workspace(BudgetStudy(studies, folder.path() / "run"), studies.context());
    const FidelitySpace space(workspace);
    VerifiedNetwork baseline{.network = Predict(space.table, space.Baseline(), {})};
    baseline.row.median_ns = space.Measure({space.Baseline()}, "reference").front();
    Rng rng(1);
    for (int i = 0; i < kBudgets; ++i) {
      const Answer answer = Ask(space, baseline.row.median_ns * rng.Uniform(0.85, 2.0), baseline, known);
      if (!answer.choices.empty()) answers.push_back(answer);
    }
  }
  MeasureInNewProcess(program, folder.path(), answers);
  std::printf("%s\n", BudgetsJson(answers, known).dump().c_str());
}

int Usage() {
  std::fprintf(stderr, "usage: hot_bench_fidelity [host [PRECISION] | npus | context | mixed | budgets]\n");
  return 2;
}

int Main(const std::vector<std::string>& arguments) {
  static const std::map<std::string, std::function<void()>> kOthers{
      {"context", [] { RunHost({"int8"}, true); }}, {"mixed", RunMixed}, {"npus", RunNpus}};
  const std::string what = arguments.size() > 1 ? arguments[1] : "host";
  if (what == "again" && arguments.size() == 3) {
    RunAgain(arguments[2]);
  } else if (what == "host" && arguments.size() == 3) {
    RunHost({arguments[2]}, false);
  } else if (what == "host") {
    RunHost({"fp32", "int8"}, false);
  } else if (const auto run = kOthers.find(what); run != kOthers.end()) {
    run->second();
  } else if (what == "budgets") {
    RunBudgets(fs::canonical("/proc/self/exe"));
  } else {
    return Usage();
  }
  return 0;
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  try {
    return hot::Main({argv, argv + argc});
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
