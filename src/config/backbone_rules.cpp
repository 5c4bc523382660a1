#include "config/backbone_rules.h"

#include <algorithm>

#include "core/error.h"

namespace hot {

std::span<const BackboneRules> AllBackboneRules() {
  static const std::vector<BackboneRules> kRules{{.name = "mobilenet_v2", .stages = 7, .blocks = 17},
                                                 {.name = "resnet18", .stages = 4, .blocks = 8},
                                                 {.name = "resnet34", .stages = 4, .blocks = 16},
                                                 {.name = "resnet50", .stages = 4, .blocks = 16}};
  return kRules;
}

std::optional<int> SlotCount(const Study& study) {
  if (study.model.backbone.starts_with("import:")) return std::nullopt;
  const auto rules = AllBackboneRules();
  const auto found = std::ranges::find(rules, study.model.backbone, &BackboneRules::name);
  HOT_ASSERT(found != rules.end());
  return study.model.slots == "block" ? found->blocks : found->stages;
}

const std::vector<std::string>& BlockNames() {
  static const std::vector<std::string> kNames{"irb", "fused", "sandglass", "basic", "bottleneck"};
  return kNames;
}

}  // namespace hot
