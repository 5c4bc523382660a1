#include "tasks/task.h"

#include <algorithm>

#include "core/error.h"
#include "tasks/cpn/cpn.h"
#include "tasks/ssd/ssd.h"

namespace hot {

std::unique_ptr<Task> MakeTask(const TaskOptions& options) {
  if (options.task == "ssd") return std::make_unique<SsdTask>(options);
  if (options.task == "cpn") return std::make_unique<CpnTask>(options);
  throw Error(Code::kInvalidArgument, "model.task", "unknown task \"" + options.task + "\"", "known: ssd, cpn");
}

std::vector<Tensor> Task::Unite(std::vector<Tensor> /*outputs*/, std::span<const Tensor> /*of_mirrored*/) const {
  throw Error(Code::kInvalidArgument, "model.flip_test", "there is no flip test of " + std::string(name()));
}

void Mirror(Tensor& maps) {
  const auto width = static_cast<std::ptrdiff_t>(maps.shape.empty() ? 0 : maps.shape.back());
  if (width == 0) return;
  for (auto row = maps.data.begin(); row != maps.data.end(); row += width) std::reverse(row, row + width);
}

}  // namespace hot
