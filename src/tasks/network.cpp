#include <utility>

#include "graph/costs.h"
#include "tasks/task.h"

namespace hot {
namespace {

// The shapes a head may read.
struct FeatureShapes {
  std::vector<Shape> slots;
  Shape tail;
};

FeatureShapes ShapesOf(const Backbone& backbone, double width, Shape image) {
  const std::vector<Shape> inputs = SlotInputShapes(backbone, width, image);
  GraphBuilder builder;
  const NodeId tail = backbone.BuildTail(builder, builder.Input("x", inputs.back()), width);
  return {.slots = {inputs.begin() + 1, inputs.end()}, .tail = builder.shape(tail)};
}

}  // namespace

Graph BuildNetwork(const Backbone& backbone, double width, const std::vector<Choice>& choices, const Task& task,
                   Purpose purpose) {
  GraphBuilder builder(task.options().convention.style);
  const NodeId image = builder.Input("image", task.options().input);
  const Features features = BuildBackbone(builder, image, backbone, width, choices, task.taps().tail);
  builder.BeginSection("head");
  task.BuildHead(builder, features, purpose);
  return std::move(builder).Build();
}

Graph BuildStemPart(const Backbone& backbone, double width, const Task& task) {
  GraphBuilder builder(task.options().convention.style);
  builder.Output(backbone.BuildStem(builder, builder.Input("image", task.options().input), width));
  return std::move(builder).Build();
}

Graph BuildSlotPart(const Backbone& backbone, double width, const Task& task, int slot_index, const Choice& choice) {
  const auto at = static_cast<size_t>(slot_index - 1);
  const Slot slot = backbone.Slots(width, choice.precision).at(at);
  GraphBuilder builder(task.options().convention.style);
  const NodeId x = builder.Input("x", SlotInputShapes(backbone, width, task.options().input).at(at));
  builder.Output(BuildSlot(builder, x, slot, choice));
  return std::move(builder).Build();
}

Graph BuildTailPart(const Backbone& backbone, double width, const Task& task) {
  GraphBuilder builder(task.options().convention.style);
  const NodeId x = builder.Input("x", SlotInputShapes(backbone, width, task.options().input).back());
  builder.Output(backbone.BuildTail(builder, x, width));
  return std::move(builder).Build();
}

Graph BuildHeadPart(const Backbone& backbone, double width, const Task& task) {
  const FeatureShapes shapes = ShapesOf(backbone, width, task.options().input);
  const Taps taps = task.taps();
  GraphBuilder builder(task.options().convention.style);
  builder.BeginSection("head");
  Features features{.slots = std::vector<NodeId>(shapes.slots.size(), -1), .tail = -1};
  for (const int slot : taps.slots) {
    const auto at = static_cast<size_t>(slot - 1);
    features.slots.at(at) = builder.Input("slot" + std::to_string(slot), shapes.slots.at(at));
  }
  if (taps.tail) features.tail = builder.Input("tail", shapes.tail);
  task.BuildHead(builder, features, Purpose::kShipping);
  return std::move(builder).Build();
}

std::map<std::string, int64_t> CarriedBytes(const Backbone& backbone, double width, const Task& task,
                                            Precision precision) {
  const FeatureShapes shapes = ShapesOf(backbone, width, task.options().input);
  const Taps taps = task.taps();
  // Slot i reads the output of slot i - 1, so taps from before that are carried; the tail reads the last slot.
  const auto carried = [&](int reader) {
    int64_t bytes = 0;
    for (const int slot : taps.slots) {
      if (slot + 1 < reader)
        bytes += shapes.slots.at(static_cast<size_t>(slot - 1)).elements() * ActivationBytes(precision);
    }
    return bytes;
  };
  const auto slots = static_cast<int>(shapes.slots.size());
  std::map<std::string, int64_t> parts = {{"stem", 0}, {"head", 0}};
  for (int slot = 1; slot <= slots; ++slot) parts["slot" + std::to_string(slot)] = carried(slot);
  if (taps.tail) parts["tail"] = carried(slots + 1);
  return parts;
}

}  // namespace hot
