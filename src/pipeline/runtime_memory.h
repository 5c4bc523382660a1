// What a run-time needs in RAM for a network's values, by its own account, against search.ram_kib. Ours (graph/costs.h)
// is the least that any order of layers needs; a run-time adds paddings, copies and scratch memory. Called by the
// evaluate stage. Pure functions.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "deploy/artifact.h"

namespace hot {

struct RuntimeRam {
  int64_t bytes = 0;
  std::string source;  // "TVM's memory plan", "Vela's estimate"
};

// TVM: the arena that its code was compiled to use. Vela: SRAM, of systems in which that is all the RAM there is; where
// DRAM holds values and weights together nobody can tell how much the values are. OpenVINO reports nothing.
std::optional<RuntimeRam> RuntimeRamOf(const Artifact& artifact);

// Whether the run-time's figure, where there is one, is within the budget, where there is one.
bool KeepsRam(const Artifact& artifact, const std::optional<double>& ram_kib);

// {"estimated_kib", "runtime_kib": n | null, "source": text | null, "keeps_budget": bool | null}; `estimated_bytes` is
// ours.
nlohmann::ordered_json RamJson(const Artifact& artifact, int64_t estimated_bytes, const std::optional<double>& ram_kib);

}  // namespace hot
