#include "pipeline/distilled.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "graph/costs.h"
#include "graph/safetensors.h"
#include "models/pretrained/tensor_file.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

Json DistilledWidth(const Workspace& workspace, double width) {
  const Json distilled = ReadRunJson(workspace, "distill.json");
  for (const Json& one : distilled.at("widths")) {
    if (one.at("width") == width) return one;
  }
  throw Error(Code::kNotFound, "distill.json", "has nothing of this width", "run hot distill");
}

void AddQuality(const Json& of_width, LookupTable& table) {
  if (of_width.at("slots").empty()) return;  // the baseline's width, which is not searched
  const std::string loss = PrecisionName(table.precision) + "_loss";
  std::map<std::string, double> scores;  // by "slot3 irb-k3-e6@fp32"
  for (const Json& slot : of_width.at("slots")) {
    for (const Json& choice : slot.at("choices")) {
      if (choice.at("quality").is_null()) continue;
      scores[slot.at("slot").get<std::string>() + " " + choice.at("choice").get<std::string>()] =
          choice["quality"].get<double>() - choice.value(loss, 0.0);
    }
  }
  for (auto& rows : table.slots) {
    for (TableRow& row : rows) {
      const auto found = scores.find(row.part + " " + DistilledName(row.choice));
      if (found != scores.end()) row.quality = found->second;
      if (found == scores.end()) row.searched = false;  // measured, but never an answer
    }
  }
}

struct Exchanged {
  std::string slot, choice;
  std::vector<Parameter> own;  // of the teacher's slot
};

// Slots where the network is not the baseline.
std::vector<Exchanged> ExchangedSlots(const Workspace& workspace, const StudyNetwork& network) {
  const auto own = BaselineChoices(workspace.backbone(), network.width, Precision::kFp32);
  std::vector<Exchanged> slots;
  for (size_t i = 0; i < own.size(); ++i) {
    const std::string choice = DistilledName(network.choices.at(i));
    if (choice == own[i].Name()) continue;
    const int slot = static_cast<int>(i) + 1;
    slots.push_back({.slot = "slot" + std::to_string(slot), .choice = choice});
    slots.back().own = Parameters(BuildSlotPart(workspace.backbone(), network.width, workspace.task(), slot, own[i]));
  }
  return slots;
}

// Replaces the teacher's slot by what the choice learned.
void Exchange(const fs::path& distilled, const Exchanged& exchanged, Weights& weights) {
  for (const Parameter& parameter : exchanged.own) weights.erase(parameter.name);
  const Weights learned = WeightsOf(exchanged.choice, ReadSafetensors(distilled / "weights.safetensors"));
  for (const auto& [name, tensor] : learned) weights[name] = tensor;
  if (learned.empty())
    throw Error(Code::kNotFound, distilled.string(), "has no weights of " + exchanged.choice, "run hot distill");
}

}  // namespace

bool Distills(const Study& study) { return study.search.quality == "distill"; }

std::vector<ImitatedSlot> ImitatedSlots(const Workspace& workspace, double width) {
  if (std::ranges::count(workspace.study().model.width, width) == 0) return {};  // the baseline's alone
  const auto inputs = SlotInputShapes(workspace.backbone(), width, workspace.task().options().input);
  std::vector<ImitatedSlot> slots;
  for (Slot& slot : workspace.backbone().Slots(width, Precision::kFp32)) {
    ImitatedSlot one{.slot = std::move(slot), .choices = {}};
    one.choices = DistinctChoices(one.slot, inputs[static_cast<size_t>(one.slot.index - 1)]);
    // The study's space may lack it.
    if (std::ranges::count(one.choices, one.slot.baseline) == 0) one.choices.push_back(one.slot.baseline);
    for (const Choice& choice : one.choices) {
      const Graph graph = BuildSlotPart(workspace.backbone(), width, workspace.task(), one.slot.index, choice);
      one.macs += static_cast<double>(ComputeCosts(graph, Precision::kFp32).macs);
    }
    slots.push_back(std::move(one));
  }
  return slots;
}

std::string DistilledName(Choice choice) {
  choice.precision = Precision::kFp32;
  return choice.Name();
}

Weights WeightsOf(const std::string& choice, const Weights& blocks) {
  const std::string prefix = DistilledPrefix(choice);
  Weights weights;
  for (const auto& [name, tensor] : blocks) {
    if (name.starts_with(prefix)) weights[name.substr(prefix.size())] = tensor;
  }
  return weights;
}

double QualityFromLoss(double loss) { return 1 - loss; }

void AddQuality(const Workspace& workspace, std::vector<LookupTable>& tables) {
  for (LookupTable& table : tables) AddQuality(DistilledWidth(workspace, table.width), table);
}

void StartFromDistilled(const Workspace& workspace, const StudyNetwork& network, TrialSpec& spec) {
  const fs::path folder = workspace.folder() / DistilledWidth(workspace, network.width).at("folder").get<std::string>();
  const std::vector<Exchanged> exchanged = ExchangedSlots(workspace, network);
  std::string how;  // the blocks learned
  for (const Exchanged& one : exchanged) how += ReadFile(folder / one.slot / "trial.json");
  const std::string name = network.id + "-" + Sha256Hex(how).substr(0, 8) + ".safetensors";
  const fs::path file = fs::absolute(folder / name).lexically_normal();
  if (!fs::exists(file)) {
    Weights weights = ReadSafetensors(folder / "teacher" / "weights.safetensors");
    for (const Exchanged& one : exchanged) Exchange(folder / one.slot, one, weights);
    WriteSafetensors(file, weights, ConventionMetadata(workspace.task().options().convention));
  }
  spec.pretrained = file;
  spec.pretrained_sha256 = TensorFileKey(file);
}

}  // namespace hot
