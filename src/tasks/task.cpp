#include "tasks/task.h"

#include <algorithm>

#include "core/error.h"
#include "tasks/classify/classify.h"
#include "tasks/cpn/cpn.h"
#include "tasks/ssd/ssd.h"

namespace hot {

namespace {

template <typename T>
std::unique_ptr<Task> Make(const TaskOptions& options) {
  return std::make_unique<T>(options);
}

struct Entry {
  const char* name;
  std::unique_ptr<Task> (*make)(const TaskOptions& options);
};
constexpr Entry kTasks[] = {{"ssd", Make<SsdTask>}, {"cpn", Make<CpnTask>}, {"classify", Make<ClassifyTask>}};

}  // namespace

std::vector<std::string> TaskNames() {
  std::vector<std::string> names;
  for (const Entry& entry : kTasks) names.emplace_back(entry.name);
  return names;
}

std::unique_ptr<Task> MakeTask(const TaskOptions& options) {
  std::string known;
  for (const Entry& entry : kTasks) {
    if (options.task == entry.name) return entry.make(options);
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw Error(Code::kInvalidArgument, "model.task", "unknown task \"" + options.task + "\"", "known: " + known);
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
