#include "train/objective.h"

#include "core/error.h"
#include "tasks/classify/classify.h"
#include "train/classify_loss.h"
#include "train/cpn_loss.h"
#include "train/ssd_loss.h"

namespace hot {

std::unique_ptr<Objective> MakeObjective(const Task& task, const Graph& graph) {
  if (const auto* ssd = dynamic_cast<const SsdTask*>(&task)) return std::make_unique<SsdObjective>(*ssd, graph);
  if (const auto* cpn = dynamic_cast<const CpnTask*>(&task)) return std::make_unique<CpnObjective>(*cpn, graph);
  if (dynamic_cast<const ClassifyTask*>(&task) != nullptr) return std::make_unique<ClassifyObjective>();
  throw Error(Code::kUnimplemented, "task", "no loss for " + std::string(task.name()), "known: ssd, cpn, classify");
}

}  // namespace hot
