#include "tasks/stand_in.h"

#include "core/rng.h"

namespace hot {
namespace {

// By which the background's logits are above the classes' on average. Their difference has a deviation of sqrt(2), so a
// class passes the threshold of 0.01 with one anchor in a thousand.
constexpr float kBackground = 9;

// ssd.h: channel = anchor * (classes + 1) + class, class 0 is the background.
void RaiseBackground(Tensor& logits, size_t classes, size_t cells) {
  for (size_t channel = 0; (channel + 1) * cells <= logits.data.size(); channel += classes + 1) {
    for (size_t cell = 0; cell < cells; ++cell) logits.data[channel * cells + cell] += kBackground;
  }
}

}  // namespace

std::vector<Tensor> StandInOutputs(const Task& task, const Graph& network, uint64_t seed) {
  Rng rng(seed);
  std::vector<Tensor> outputs;
  for (const NodeId id : network.outputs()) {
    const Shape& shape = network.node(id).shape;
    Tensor& tensor = outputs.emplace_back(Tensor({1, shape.c, shape.h, shape.w}));
    for (float& value : tensor.data) value = static_cast<float>(rng.Normal());
    const bool logits = task.predicted() == Predicted::kBoxes && outputs.size() % 2 == 1;  // then offsets, a pair a map
    if (logits) RaiseBackground(tensor, task.options().classes.size(), static_cast<size_t>(shape.h * shape.w));
  }
  return outputs;
}

}  // namespace hot
