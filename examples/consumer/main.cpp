// consumer TABLE.JSON LATENCY_MS: the network with the most multiply-accumulates that keeps the budget, from the
// look-up table that a study measured (runs/NAME/table.json). Without `hot`, OpenVINO or LibTorch.
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "search/auto_search.h"

int main(int argc, char** argv) try {
  if (argc != 3) throw hot::Error(hot::Code::kInvalidArgument, "consumer", "expected TABLE.JSON LATENCY_MS");
  const auto file = nlohmann::json::parse(hot::ReadFile(argv[1]));
  const hot::LookupTable table = hot::LookupTableFromJson(file.at("tables").at(0).dump(), argv[1]);
  const hot::Budgets budgets{.latency_ms = std::atof(argv[2])};
  const auto solver = hot::MakeSolver("exact");
  const auto found = hot::AutoSearch(table, hot::Objective::kAccuracy, budgets, /*k=*/1, *solver, /*correction=*/{});
  if (found.candidates.empty()) {
    std::printf("no network fits; %s\n", hot::SmallestText(found).c_str());
    return 3;
  }
  const hot::Candidate& best = found.candidates.front();
  for (const hot::Choice& choice : best.choices) std::printf("%s ", choice.Name().c_str());
  std::printf("\n%lld MACs, %.0f ns, proven: %s\n", static_cast<long long>(best.macs), best.latency_ns,
              best.optimal ? "yes" : "no");
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
