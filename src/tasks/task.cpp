#include "tasks/task.h"

#include "core/error.h"
#include "tasks/ssd/ssd.h"

namespace hot {

std::unique_ptr<Task> MakeTask(const TaskOptions& options) {
  if (options.task == "ssd") return std::make_unique<SsdTask>(options);
  throw Error(Code::kInvalidArgument, "model.task", "unknown task \"" + options.task + "\"", "known: ssd");
}

Preprocessing TaskPreprocessing(const TaskOptions& options) {
  Preprocessing preprocessing{.width = options.input.w, .height = options.input.h};
  for (size_t c = 0; c < 3; ++c) {
    preprocessing.mean[c] = static_cast<float>(options.convention.mean[c]);
    preprocessing.stddev[c] = static_cast<float>(options.convention.stddev[c]);
  }
  return preprocessing;
}

}  // namespace hot
