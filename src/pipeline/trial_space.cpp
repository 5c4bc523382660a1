#include "pipeline/trial_space.h"

#include <algorithm>
#include <cmath>

namespace hot {
namespace {

void AddNumbers(HyperSpace& space, const char* name, const HyperRange& range, bool integer = false) {
  if (range.empty()) return;
  HyperParameter parameter{
      .name = name, .choices = {}, .low = range.low, .high = range.high, .log = range.log, .integer = integer};
  parameter.choices.assign(range.values.begin(), range.values.end());
  space.push_back(std::move(parameter));
}

void Set(const HyperPoint& point, const char* name, double& target) {
  if (const auto found = point.find(name); found != point.end()) target = std::get<double>(found->second);
}

}  // namespace

HyperSpace StudySpace(const Study& study) {
  const auto& hpo = study.train.hpo;
  HyperSpace space;
  AddNumbers(space, "batch", hpo.batch, /*integer=*/true);
  if (study.train.schedule != "cosine") AddNumbers(space, "gamma", hpo.gamma);
  AddNumbers(space, "lr", hpo.lr);
  if (!hpo.optimizer.empty()) {
    space.push_back({.name = "optimizer", .choices = {hpo.optimizer.begin(), hpo.optimizer.end()}});
  }
  AddNumbers(space, "weight_decay", hpo.weight_decay);
  return space;
}

TrialSpec MakeTrial(const Workspace& workspace, const StudyNetwork& network, const HyperPoint& point) {
  TrialSpec spec = workspace.TrialTemplate();
  spec.id = network.id + "-" + PointName(point);
  spec.width = network.width;
  for (const Choice& choice : network.choices) spec.slots.push_back(choice.Name());
  Set(point, "lr", spec.lr);
  Set(point, "gamma", spec.gamma);
  Set(point, "weight_decay", spec.weight_decay);
  double batch = spec.batch;
  Set(point, "batch", batch);
  spec.batch = static_cast<int>(std::lround(batch));
  if (const auto found = point.find("optimizer"); found != point.end()) {
    spec.optimizer = std::get<std::string>(found->second);
  }
  return spec;
}

}  // namespace hot
