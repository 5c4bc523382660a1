#include "pipeline/runtime_memory.h"

#include <nlohmann/json.hpp>

namespace hot {
namespace {

constexpr double kBytesPerKib = 1024;

}  // namespace

std::optional<RuntimeRam> RuntimeRamOf(const Artifact& artifact) {
  if (const auto arena = artifact.planned_bytes.find("arena"); arena != artifact.planned_bytes.end()) {
    return RuntimeRam{.bytes = arena->second, .source = "TVM's memory plan"};
  }
  if (!artifact.estimate) return std::nullopt;
  const auto& peaks = artifact.estimate->peak_bytes;
  const auto sram = peaks.find("sram");
  if (sram == peaks.end() || peaks.contains("dram")) return std::nullopt;
  return RuntimeRam{.bytes = sram->second, .source = "Vela's estimate"};
}

bool KeepsRam(const Artifact& artifact, const std::optional<double>& ram_kib) {
  const std::optional<RuntimeRam> ram = RuntimeRamOf(artifact);
  return !ram || !ram_kib || static_cast<double>(ram->bytes) <= *ram_kib * kBytesPerKib;
}

nlohmann::ordered_json RamJson(const Artifact& artifact, int64_t estimated_bytes,
                               const std::optional<double>& ram_kib) {
  using Json = nlohmann::ordered_json;
  const std::optional<RuntimeRam> ram = RuntimeRamOf(artifact);
  return {{"estimated_kib", static_cast<double>(estimated_bytes) / kBytesPerKib},
          {"runtime_kib", ram ? Json(static_cast<double>(ram->bytes) / kBytesPerKib) : Json()},
          {"source", ram ? Json(ram->source) : Json()},
          {"keeps_budget", ram && ram_kib ? Json(KeepsRam(artifact, ram_kib)) : Json()}};
}

}  // namespace hot
