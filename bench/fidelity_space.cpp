#include "fidelity_space.h"

#include <algorithm>
#include <cmath>

#include "pipeline/closed_loop.h"
#include "pipeline/formats.h"
#include "pipeline/networks.h"
#include "pipeline/stage.h"
#include "pipeline/tables.h"
#include "pipeline/whole_networks.h"

namespace hot {
namespace {

constexpr double kCheapMacs = 1.6;

// One of each of `count` equal parts of the predicted latencies.
std::vector<Choices> Stratified(const FidelitySpace& space, int count, double most_macs, Rng& rng) {
  constexpr size_t kPool = 3000;
  std::vector<std::pair<double, Choices>> pool;
  while (pool.size() < kPool) {
    Choices choices = space.Random(rng);
    if (static_cast<double>(space.Macs(choices)) <= most_macs) pool.emplace_back(space.PlainNs(choices), choices);
  }
  std::ranges::sort(pool, {}, [](const auto& network) { return network.first; });
  std::vector<Choices> picked;
  for (int i = 0; i < count; ++i) picked.push_back(pool[(2 * static_cast<size_t>(i) + 1) * kPool / (2 * count)].second);
  return picked;
}

LookupTable Profiled(Workspace& workspace) {
  RunStages(workspace, "profile");
  return ReadTables(workspace).at(0);
}

}  // namespace

FidelitySpace::FidelitySpace(Workspace& a_workspace) : workspace(a_workspace), table(Profiled(a_workspace)) {}

int64_t FidelitySpace::Macs(const Choices& choices) const { return Predict(table, choices, {}).macs; }

double FidelitySpace::PlainNs(const Choices& choices) const { return Predict(table, choices, {}).latency_ns; }

Choices FidelitySpace::Baseline() const {
  return BaselineChoices(workspace.backbone(), kFidelityWidth, table.precision);
}

Choices FidelitySpace::Random(Rng& rng) const {
  Choices choices;
  for (const auto& rows : table.slots) choices.push_back(rows[static_cast<size_t>(rng.Below(std::ssize(rows)))].choice);
  return choices;
}

std::vector<Choices> FidelitySpace::HeldOut() const {
  Rng rng(1);
  std::vector<Choices> networks = Stratified(*this, kHeldOut / 2, INFINITY, rng);
  const double cheap = kCheapMacs * static_cast<double>(Macs(Baseline()));
  for (Choices& choices : Stratified(*this, kHeldOut / 2, cheap, rng)) networks.push_back(std::move(choices));
  return networks;
}

std::vector<Choices> FidelitySpace::Fitted(const std::vector<Choices>& held_out) const {
  Rng rng(2);
  std::vector<std::vector<Choice>> orders(table.slots.size());
  std::vector<Choices> networks{Baseline()};
  while (std::ssize(networks) < kMostNetworks) {
    Choices choices;
    for (size_t slot = 0; slot < orders.size(); ++slot) {
      if (orders[slot].empty()) {
        for (const TableRow& row : table.slots[slot]) orders[slot].push_back(row.choice);
        rng.Shuffle(std::span<Choice>(orders[slot]));
      }
      choices.push_back(orders[slot].back());
      orders[slot].pop_back();
    }
    if (std::ranges::count(held_out, choices) == 0) networks.push_back(choices);
  }
  return networks;
}

std::vector<double> FidelitySpace::Measure(const std::vector<Choices>& networks, const std::string& what) const {
  std::vector<Graph> graphs;
  for (const Choices& choices : networks) graphs.push_back(GraphOf(workspace, kFidelityWidth, choices));
  std::vector<LatencyJob> jobs;
  for (size_t i = 0; i < graphs.size(); ++i) jobs.push_back(WholeJob(workspace, graphs[i], networks[i]));
  std::vector<double> latencies;
  for (const MeasurementRow& row : MeasureLatencies(workspace, jobs, what).rows) latencies.push_back(row.median_ns);
  return latencies;
}

std::vector<double> MeasureAgain(Workspace& workspace, const std::vector<Choices>& networks) {
  const Context& context = workspace.context();
  std::vector<double> latencies;
  for (size_t begin = 0; begin < networks.size(); begin += kWholeAtOnce) {
    std::vector<Artifact> artifacts;
    for (size_t i = begin; i < std::min(begin + kWholeAtOnce, networks.size()); ++i) {
      const Graph graph = GraphOf(workspace, kFidelityWidth, networks[i]);
      artifacts.push_back(CompileUntrained(workspace, WholeJob(workspace, graph, networks[i])));
    }
    std::vector<const Artifact*> pointers;
    for (const Artifact& artifact : artifacts) pointers.push_back(&artifact);
    context.progress.Begin("again", static_cast<double>(pointers.size()));
    for (const Measurement& m : ProfileWhole(workspace, pointers, kWholeOptions, ReferenceCanaryNs(workspace), context))
      latencies.push_back(m.median_ns);
    context.progress.End("measured again");
  }
  return latencies;
}

}  // namespace hot
