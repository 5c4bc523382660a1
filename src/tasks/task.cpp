#include "tasks/task.h"

#include "core/error.h"
#include "tasks/classify/classify.h"
#include "tasks/cpn/cpn.h"
#include "tasks/ssd/ssd.h"

namespace hot {

std::unique_ptr<Task> MakeTask(const TaskOptions& options) {
  if (options.task == "ssd") return std::make_unique<SsdTask>(options);
  if (options.task == "cpn") return std::make_unique<CpnTask>(options);
  if (options.task == "classify") return std::make_unique<ClassifyTask>(options);
  throw Error(Code::kInvalidArgument, "model.task", "unknown task \"" + options.task + "\"",
              "known: ssd, cpn, classify");
}

}  // namespace hot
