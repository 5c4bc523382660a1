#include <utility>

#include "graph/costs.h"
#include "tasks/task.h"

namespace hot {
namespace {

// The shapes a head may read.
struct FeatureShapes {
  std::vector<Shape> slots;
  Shape tail;
  const Shape& of_slot(int slot) const { return slots.at(static_cast<size_t>(slot - 1)); }
};

FeatureShapes ShapesOf(const Backbone& backbone, double width, Shape image) {
  const std::vector<Shape> inputs = SlotInputShapes(backbone, width, image);
  GraphBuilder builder;
  const NodeId tail = backbone.BuildTail(builder, builder.Input("x", inputs.back()), width);
  return {.slots = {inputs.begin() + 1, inputs.end()}, .tail = builder.shape(tail)};
}

// The slots (1-based) that the task's head reads.
std::vector<int> TappedSlots(const Backbone& backbone, const Task& task) {
  const std::map<int, int> by_stride = SlotsByStride(backbone);
  std::vector<int> slots;
  for (const int stride : task.taps().strides) slots.push_back(by_stride.at(stride));
  return slots;
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

Graph BuildUpToSlot(const Backbone& backbone, double width, const std::vector<Choice>& choices, const Task& task,
                    int slot_index) {
  GraphBuilder builder(task.options().convention.style);
  NodeId read = -1, given = backbone.BuildStem(builder, builder.Input("image", task.options().input), width);
  const std::vector<Slot> slots = backbone.Slots(width, Precision::kFp32);
  for (size_t i = 0; i < static_cast<size_t>(slot_index); ++i) {
    read = given;
    given = BuildSlot(builder, read, slots.at(i), choices.at(i));
  }
  builder.Output(read);
  builder.Output(given);
  return std::move(builder).Build();
}

Graph BuildBorderPart(const Backbone& backbone, double width, const std::vector<Choice>& choices, const Task& task,
                      int slot_index) {
  GraphBuilder builder(task.options().convention.style);
  const std::vector<Slot> slots = backbone.Slots(width, Precision::kFp32);
  const std::vector<Shape> inputs = SlotInputShapes(backbone, width, task.options().input);
  const auto before = static_cast<size_t>(slot_index);  // parts before the border, the stem aside
  NodeId x = slot_index == 0 ? backbone.BuildStem(builder, builder.Input("image", task.options().input), width)
                             : builder.Input("x", inputs.at(before - 1));
  if (before > 0) x = BuildSlot(builder, x, slots.at(before - 1), choices.at(before - 1));
  x = before < slots.size() ? BuildSlot(builder, x, slots[before], choices.at(before))
                            : backbone.BuildTail(builder, x, width);
  builder.Output(x);
  return std::move(builder).Build();
}

bool BuildsTail(const Backbone& backbone, const Task& task) { return task.taps().tail && backbone.traits().has_tail; }

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
  Features features{.slots = {}, .tail = -1, .narrow = backbone.traits().narrow_slots};
  const std::map<int, int> by_stride = SlotsByStride(backbone);
  for (const int stride : taps.strides) {
    const int slot = by_stride.at(stride);
    features.slots[stride] = {slot, builder.Input("slot" + std::to_string(slot), shapes.of_slot(slot))};
  }
  if (taps.tail) features.tail = builder.Input("tail", shapes.tail);
  task.BuildHead(builder, features, Purpose::kShipping);
  return std::move(builder).Build();
}

std::map<std::string, int64_t> CarriedBytes(const Backbone& backbone, double width, const Task& task,
                                            Precision precision) {
  const FeatureShapes shapes = ShapesOf(backbone, width, task.options().input);
  const std::vector<int> taps = TappedSlots(backbone, task);
  // Slot i reads the output of slot i - 1, so taps from before that are carried; the tail reads the last slot.
  const auto carried = [&](int reader) {
    int64_t bytes = 0;
    for (const int slot : taps) {
      if (slot + 1 < reader) bytes += shapes.of_slot(slot).elements() * ActivationBytes(precision);
    }
    return bytes;
  };
  const auto slots = static_cast<int>(shapes.slots.size());
  std::map<std::string, int64_t> parts = {{"stem", 0}, {"head", 0}};
  for (int slot = 1; slot <= slots; ++slot) parts["slot" + std::to_string(slot)] = carried(slot);
  if (BuildsTail(backbone, task)) parts["tail"] = carried(slots + 1);
  return parts;
}

}  // namespace hot
