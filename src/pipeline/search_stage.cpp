// Stage search: the k best networks a width and objective from the plain table; beside them the front of quality
// against latency, the price of a millisecond and, where nothing fits, what would.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "pipeline/distilled.h"
#include "pipeline/networks.h"
#include "pipeline/solve.h"
#include "pipeline/stages.h"
#include "pipeline/tables.h"
#include "search/front.h"
#include "search/relaxation.h"
#include "search/solvers/exact.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

// What search.json has of all widths.
struct Found {
  Json candidates = Json::array();  // by width, objective and rank
  Json fronts = Json::array(), prices = Json::array(), relaxations = Json::array();
  std::string infeasible;  // of the last width without any
};

Json FrontJson(const Workspace& workspace, double width, const std::vector<Candidate>& front) {
  Json points = Json::array();
  for (const Candidate& point : front) points.push_back(ToJson(workspace, point));
  return {{"width", width}, {"points", points}};
}

Json PriceJson(double width, double latency_ms, const LatencyPrice& price) {
  const std::string unit = price.scored ? "quality" : "macs";
  const auto number = [&](double value) { return price.scored ? Json(value) : Json(std::llround(value)); };
  return {{"width", width},
          {"latency_ms", latency_ms},
          {"step_ms", price.step_ms},
          {unit, number(price.quality)},
          {"more_" + unit, number(price.more)},
          {"less_" + unit, price.less ? number(*price.less) : Json()},
          {"optimal", price.optimal}};
}

Json RelaxationJson(double width, const Relaxation& relaxation) {
  Json budgets = Json::array();
  for (const BudgetRelaxation& one : relaxation.budgets) {
    budgets.push_back(
        {{"budget", one.budget},
         {"limit", one.limit},
         {"alone", one.alone ? Json(*one.alone) : Json()},
         {"used", one.used},
         {"largest", {{"part", one.largest.part}, {"choice", one.largest.choice}, {"share", one.largest.share}}}});
  }
  return {{"width", width},
          {"factor", relaxation.factor},
          {"most_macs", relaxation.most_macs ? Json(*relaxation.most_macs) : Json()},
          {"optimal", relaxation.optimal},
          {"budgets", budgets}};
}

// What is told beside the candidates is not worth more than about half a second a solve; what is not proven by then
// says so.
constexpr ExactOptions kBeside{.max_nodes = 5'000'000};

class StudySearch {
 public:
  StudySearch(const Workspace& workspace, const Budgets& budgets, Corrections corrections)
      : workspace_(workspace),
        options_(workspace.study().search),
        budgets_(budgets),
        corrections_(std::move(corrections)),
        solver_(MakeSolver(options_.solver)),
        beside_(MakeExactSolver(kBeside)) {}

  Found Run(const std::vector<LookupTable>& tables) const {
    Found found;
    for (const double width : workspace_.study().model.width) {
      const LookupTable& table = FindTable(tables, width, workspace_.precision());
      if (!AddCandidates(table, found)) AddRelaxation(table, found);
      const CostCorrection correction = CorrectionOf(corrections_, width);
      const int most = static_cast<int>(options_.front);
      found.fronts.push_back(FrontJson(workspace_, width, ParetoFront(table, budgets_, most, *beside_, correction)));
      const auto price = PriceOfLatency(table, budgets_, *beside_, correction);
      if (price) found.prices.push_back(PriceJson(width, *budgets_.latency_ms, *price));
    }
    return found;
  }

  bool AnyWithoutLatency(const std::vector<LookupTable>& tables) const {
    Budgets exact = budgets_;  // sizes and MACs are exact, latencies are a prediction
    exact.latency_ms.reset();
    return std::ranges::any_of(workspace_.study().model.width, [&](double width) {
      const LookupTable& table = FindTable(tables, width, workspace_.precision());
      return !AutoSearch(table, Objective::kLatency, exact, 1, *solver_, {}).candidates.empty();
    });
  }

 private:
  // False: there is none.
  bool AddCandidates(const LookupTable& table, Found& found) const {
    bool any = false;
    for (const Objective objective : StudyObjectives(workspace_)) {
      const SearchResult result =
          AutoSearch(table, objective, budgets_, static_cast<int>(options_.candidates), *solver_,
                     CorrectionOf(corrections_, table.width), static_cast<int>(options_.min_distance));
      for (const Candidate& candidate : result.candidates) found.candidates.push_back(ToJson(workspace_, candidate));
      any = any || !result.candidates.empty();
    }
    return any;
  }

  void AddRelaxation(const LookupTable& table, Found& found) const {
    char width[64];
    std::snprintf(width, sizeof width, "no network of width %g fits the budgets; ", table.width);
    const auto relaxation = SmallestRelaxation(table, budgets_, *beside_, CorrectionOf(corrections_, table.width));
    if (relaxation) found.relaxations.push_back(RelaxationJson(table.width, *relaxation));
    found.infeasible =
        width + (relaxation ? RelaxationText(*relaxation, workspace_.task().options().passes())
                            : "whatever the other budgets, search.quality_min is more than any of them has");
  }

  const Workspace& workspace_;
  const Study::Search& options_;
  const Budgets& budgets_;
  Corrections corrections_;  // of the plain table, to the study's statistic
  std::unique_ptr<Solver> solver_, beside_;
};

}  // namespace

std::string SearchInputs(const Workspace& workspace) {
  const std::string quality = Distills(workspace.study()) ? FileKey(workspace, "distill.json") : "";
  return FileKey(workspace, "table.json") + quality + StudySectionJson(workspace.study(), "search") +
         StudySectionJson(workspace.study(), "model");
}

std::string RunSearch(Workspace& workspace) {
  const auto tables = ReadTables(workspace);
  const Corrections corrections = StatisticCorrections(workspace, tables);
  const Candidate baseline = PredictBaseline(workspace, tables, corrections);
  const Budgets budgets = StudyBudgets(workspace, baseline.latency_ns);
  const StudySearch search(workspace, budgets, corrections);
  const Found found = search.Run(tables);
  if (found.candidates.empty() && !search.AnyWithoutLatency(tables)) {
    throw Error(Code::kOutOfRange, "search", found.infeasible);
  }
  WriteRunJson(workspace, "search.json",
               {{"version", 1},
                {"baseline", ToJson(workspace, baseline)},
                {"budgets", BudgetsJson(budgets)},
                {"candidates", found.candidates},
                {"infeasible", found.infeasible},
                {"relaxations", found.relaxations},
                {"prices", found.prices},
                {"fronts", found.fronts}});
  if (!found.infeasible.empty()) workspace.context().progress.Note("note: by the table, " + found.infeasible);
  return std::to_string(found.candidates.size()) + " candidates";
}

}  // namespace hot
