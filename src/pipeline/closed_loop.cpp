#include "pipeline/closed_loop.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <ranges>
#include <set>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "measure/measure.h"
#include "search/apart.h"

namespace hot {
namespace {

// How much lower a width and objective aims after a round in which all its networks missed the latency budget, before
// its first success and after it.
constexpr double kStep = 0.99, kFineStep = 0.9975;

std::string KeyOf(const Candidate& candidate) {
  std::string key = std::to_string(candidate.width);
  for (const Choice& choice : candidate.choices) key += ' ' + choice.Name();
  return key;
}

// In how many slots blocks differ, whatever their number formats.
int BlockDistance(const std::vector<Choice>& a, const std::vector<Choice>& b) {
  return HammingDistance(WithPrecision(a, Precision::kFp32), WithPrecision(b, Precision::kFp32));
}

// One width and objective.
struct Group {
  const LookupTable* table = nullptr;
  Objective objective = Objective::kAccuracy;
  double aim = 1;                  // times the latency budget; falls with every round of misses
  std::vector<Candidate> answers;  // the solver's last, best first, without those known to miss
  std::set<std::string> own;       // keys of all answers it ever had
  int measured = 0;                // of them
  std::string infeasible;          // what would be needed, when the cost model last saw no network at all
};

class Loop {
 public:
  Loop(const LoopStudy& study, VerifiedNetwork baseline, const MeasureNetworks& measure)
      : study_(study), measure_(measure) {
    baseline_key_ = KeyOf(baseline.network);
    Keep(std::move(baseline));
    for (const double width : study.widths) {
      const auto table = std::ranges::find(study.tables, width, &LookupTable::width);
      HOT_ASSERT(table != study.tables.end());
      for (const Objective objective : study.objectives) groups_.push_back({.table = &*table, .objective = objective});
    }
  }

  LoopResult Run() {
    for (;;) {
      corrections_ = Fit();
      for (Group& group : groups_) Solve(group);
      const std::vector<Candidate> next = MostUseful();
      if (next.empty()) return Result();
      Measure(next);
    }
  }

 private:
  bool Keeps(const VerifiedNetwork& verified) const {
    // The baseline's own latency may be the budget.
    const double margin = KeyOf(verified.network) == baseline_key_ ? 1 : BudgetMargin(study_.repeat_sigma);
    return KeepsBudgets(verified.network, verified.row.median_ns * margin, study_.budgets);
  }
  const VerifiedNetwork* Find(const std::string& key) const {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &networks_[found->second];
  }
  void Keep(VerifiedNetwork verified) {
    index_.emplace(KeyOf(verified.network), networks_.size());
    networks_.push_back(std::move(verified));
  }
  int Left() const { return kMostNetworks - static_cast<int>(networks_.size()); }

  Corrections Fit() const {
    std::map<double, std::vector<PredictedMeasured>> pairs;
    for (const VerifiedNetwork& v : networks_) {
      pairs[v.network.width].push_back({.predicted_ns = v.network.latency_ns, .measured_ns = v.row.median_ns});
    }
    return FitCorrections(pairs, study_.widths);
  }

  // Has this width a success besides the baseline?
  bool HasSuccess(double width) const {
    return std::ranges::any_of(networks_, [&](const VerifiedNetwork& v) {
      return v.network.width == width && KeyOf(v.network) != baseline_key_ && Keeps(v);
    });
  }

  double SigmaFor(const Group& group, const CostCorrection& correction) const {
    return HasSuccess(group.table->width) ? study_.repeat_sigma : std::hypot(correction.sigma, study_.repeat_sigma);
  }

  // Answers have in common what the fit over all networks does not know: the blocks that are good value. Median of
  // measured / corrected over the group's own; 1 while there is none.
  double Bias(const Group& group, const CostCorrection& correction) const {
    std::vector<double> ratios;
    for (const VerifiedNetwork& v : networks_) {
      if (v.network.width != group.table->width || !group.own.contains(KeyOf(v.network))) continue;
      ratios.push_back(v.row.median_ns / Predict(*group.table, v.network.choices, correction).latency_ns);
    }
    return ratios.empty() ? 1 : MedianWithInterval(std::move(ratios)).median;
  }

  // Nothing within the budget as corrected, or no room for another try: any network that keeps it as measured will do.
  bool NeedsAnyNetwork(double width, const SearchResult& found) const {
    const bool last_round = Left() <= kNetworksAtOnce;
    return study_.budgets.latency_ms && (found.candidates.empty() || last_round) && !HasSuccess(width);
  }

  void Solve(Group& group) {
    const double width = group.table->width;
    Budgets budgets = study_.budgets;
    const CostCorrection correction = CorrectionOf(corrections_, width);
    if (budgets.latency_ms)
      *budgets.latency_ms *= group.aim / (BudgetMargin(SigmaFor(group, correction)) * Bias(group, correction));
    // Room for those known to miss, so that k others are left.
    const int ask = study_.k + static_cast<int>(networks_.size());
    SearchResult found =
        AutoSearch(*group.table, group.objective, budgets, ask, study_.solver, correction, study_.min_distance);
    if (NeedsAnyNetwork(width, found)) found = Fastest(group);
    group.infeasible = found.candidates.empty() ? SmallestText(found) : "";
    group.answers.clear();
    for (Candidate& candidate : found.candidates) {
      const VerifiedNetwork* known = Find(KeyOf(candidate));
      if ((known != nullptr && !Keeps(*known)) || std::ssize(group.answers) == study_.k) continue;
      group.own.insert(KeyOf(candidate));
      group.answers.push_back(std::move(candidate));
    }
  }

  // The k lowest latencies, whatever the latency budget. Not more than k: when all of them miss, it can't be kept.
  SearchResult Fastest(const Group& group) const {
    Budgets budgets = study_.budgets;
    budgets.latency_ms.reset();
    return AutoSearch(*group.table, Objective::kLatency, budgets, study_.k, study_.solver,
                      CorrectionOf(corrections_, group.table->width), study_.min_distance);
  }

  // Unmeasured answers that would be among the k best of their group, better ranks first; of equal ranks those of
  // groups with fewer measured networks.
  std::vector<Candidate> MostUseful() const {
    using Pick = std::tuple<size_t, int, size_t>;  // rank, measured, group
    std::vector<Pick> picks;
    for (size_t g = 0; g < groups_.size(); ++g) {
      for (size_t rank = 0; rank < groups_[g].answers.size(); ++rank) {
        if (IsUseful(groups_[g], groups_[g].answers[rank])) picks.emplace_back(rank, groups_[g].measured, g);
      }
    }
    std::ranges::sort(picks);
    std::set<std::string> listed;
    std::vector<Candidate> chosen;
    for (const auto& [rank, measured, g] : picks) {
      if (std::ssize(chosen) == std::min(kNetworksAtOnce, Left())) break;
      const Candidate& answer = groups_[g].answers[rank];
      if (listed.insert(KeyOf(answer)).second) chosen.push_back(Predict(*groups_[g].table, answer.choices, {}));
    }
    return chosen;
  }

  bool IsUseful(const Group& group, const Candidate& answer) const {
    if (Find(KeyOf(answer)) != nullptr) return false;
    const auto is_as_good = [&](const VerifiedNetwork& v) {
      const bool success = v.network.width == answer.width && group.own.contains(KeyOf(v.network)) && Keeps(v);
      return success && (group.objective == Objective::kAccuracy ? QualityOf(v.network) >= QualityOf(answer)
                                                                 : v.row.median_ns <= answer.latency_ns);
    };
    return std::ranges::count_if(networks_, is_as_good) < study_.k;
  }

  void Measure(const std::vector<Candidate>& next) {
    const std::vector<MeasurementRow> rows = measure_(next);
    HOT_ASSERT(rows.size() == next.size());
    std::map<double, double> steps;
    for (const double width : study_.widths) steps[width] = HasSuccess(width) ? kFineStep : kStep;
    for (size_t i = 0; i < next.size(); ++i) Keep({.network = next[i], .row = rows[i]});
    for (Group& group : groups_) Judge(group, next, steps[group.table->width]);
  }

  // What a round says to a group: it aims lower where all its networks missed.
  void Judge(Group& group, const std::vector<Candidate>& round, double step) const {
    int own = 0;
    bool success = false;
    for (const Candidate& candidate : round) {
      if (!group.own.contains(KeyOf(candidate))) continue;
      ++own;
      success = success || Keeps(*Find(KeyOf(candidate)));
    }
    group.measured += own;
    if (own > 0 && !success && study_.budgets.latency_ms) group.aim *= step;
  }

  // Own answers that keep the budgets; else the width's other networks that do, the baseline only when it is the last.
  std::vector<const VerifiedNetwork*> Successes(const Group& group) const {
    std::vector<const VerifiedNetwork*> own, others, baseline;
    for (const VerifiedNetwork& v : networks_) {
      if (v.network.width != group.table->width || !Keeps(v)) continue;
      const std::string key = KeyOf(v.network);
      (group.own.contains(key) ? own : key == baseline_key_ ? baseline : others).push_back(&v);
    }
    return !own.empty() ? own : !others.empty() ? others : baseline;
  }

  // The k best of them, as candidates.
  std::vector<Candidate> Best(const Group& group) const {
    std::vector<const VerifiedNetwork*> successes = Successes(group);
    std::ranges::stable_sort(successes, {}, [&](const VerifiedNetwork* v) {
      const double minus_quality = -QualityOf(v->network);
      return group.objective == Objective::kAccuracy ? std::pair(minus_quality, v->row.median_ns)
                                                     : std::pair(v->row.median_ns, minus_quality);
    });
    std::vector<Candidate> best;
    const auto is_apart = [&](const VerifiedNetwork* v) {
      return std::ranges::all_of(best, [&](const Candidate& better) {
        return BlockDistance(v->network.choices, better.choices) >= study_.min_distance;
      });
    };
    for (const VerifiedNetwork* v : successes) {
      if (std::ssize(best) == study_.k) break;
      if (!is_apart(v)) continue;
      Candidate candidate = Predict(*group.table, v->network.choices, CorrectionOf(corrections_, v->network.width));
      candidate.objective = group.objective;
      candidate.rank = static_cast<int>(best.size()) + 1;
      candidate.solver = study_.solver.name();
      const auto answer = std::ranges::find(group.answers, candidate.choices, &Candidate::choices);
      if (answer != group.answers.end()) {
        candidate.optimal = answer->optimal && answer->objective == group.objective;
        candidate.solve_ns = answer->solve_ns;
      }
      best.push_back(std::move(candidate));
    }
    return best;
  }

  LoopResult Result() const {
    LoopResult result{.corrections = corrections_, .networks = networks_};
    Budgets others = study_.budgets;
    others.latency_ms.reset();
    for (const VerifiedNetwork& v : networks_) {
      if (std::ranges::count(study_.widths, v.network.width) == 0 || !KeepsBudgets(v.network, 0, others)) continue;
      result.smallest_latency_ns = std::min(result.smallest_latency_ns.value_or(v.row.median_ns), v.row.median_ns);
    }
    for (VerifiedNetwork& v : result.networks) v.keeps = Keeps(v);
    for (const Group& group : groups_) {
      const std::vector<Candidate> best = Best(group);
      if (best.empty()) result.notes.push_back(WhyNone(group));
      result.candidates.insert(result.candidates.end(), best.begin(), best.end());
    }
    return result;
  }

  std::string WhyNone(const Group& group) const {
    char text[120];
    std::snprintf(text, sizeof text, "no network of width %g keeps the budgets (%s)", group.table->width,
                  ObjectiveName(group.objective).c_str());
    if (!group.infeasible.empty()) return text + ("; " + group.infeasible);
    double fastest_ns = std::numeric_limits<double>::infinity();
    for (const VerifiedNetwork& v : networks_) {
      if (v.network.width == group.table->width) fastest_ns = std::min(fastest_ns, v.row.median_ns);
    }
    if (!std::isfinite(fastest_ns)) return text + std::string("; none of that width was measured");
    char more[80];
    std::snprintf(more, sizeof more, "; the fastest that was measured takes %.3f ms", fastest_ns * 1e-6);
    return std::string(text) + more;
  }

  const LoopStudy& study_;
  const MeasureNetworks& measure_;
  std::string baseline_key_;
  std::vector<VerifiedNetwork> networks_;  // in the order measured
  std::map<std::string, size_t> index_;    // by key
  std::vector<Group> groups_;
  Corrections corrections_;
};

}  // namespace

double BudgetMargin(double sigma) { return 1 + kBudgetQuantile * sigma; }

LoopResult CloseLoop(const LoopStudy& study, VerifiedNetwork baseline, const MeasureNetworks& measure) {
  return Loop(study, std::move(baseline), measure).Run();
}

}  // namespace hot
