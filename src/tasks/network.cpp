#include <algorithm>
#include <utility>

#include "graph/costs.h"
#include "tasks/task.h"

namespace hot {
namespace {

// The shapes a head may read, as inputs of a fresh graph.
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

// Builds the head on stand-in inputs; returns the graph and which features it reads.
struct HeadPart {
  Graph graph;
  std::vector<size_t> slots;  // 0-based slots whose outputs the head reads
};

bool IsRead(const Graph& graph, NodeId id) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(),
                     [&](const Node& node) { return std::count(node.inputs.begin(), node.inputs.end(), id) > 0; });
}

// Two passes: the first finds out what the head reads, the second has only those inputs.
HeadPart MakeHead(const Backbone& backbone, double width, const Task& task) {
  const FeatureShapes shapes = ShapesOf(backbone, width, task.options().input);
  GraphBuilder probe(task.options().convention.style);
  Features all;
  for (size_t i = 0; i < shapes.slots.size(); ++i)
    all.slots.push_back(probe.Input("slot" + std::to_string(i + 1), shapes.slots[i]));
  all.tail = probe.Input("tail", shapes.tail);
  task.BuildHead(probe, all);
  const Graph probed = std::move(probe).Build();

  HeadPart part;
  GraphBuilder builder(task.options().convention.style);
  builder.BeginSection("head");
  Features used{.slots = std::vector<NodeId>(shapes.slots.size(), -1), .tail = -1};
  for (size_t i = 0; i < shapes.slots.size(); ++i) {
    if (!IsRead(probed, all.slots[i])) continue;
    used.slots[i] = builder.Input("slot" + std::to_string(i + 1), shapes.slots[i]);
    part.slots.push_back(i);
  }
  if (IsRead(probed, all.tail)) used.tail = builder.Input("tail", shapes.tail);
  task.BuildHead(builder, used);
  part.graph = std::move(builder).Build();
  return part;
}

}  // namespace

Graph BuildNetwork(const Backbone& backbone, double width, const std::vector<Choice>& choices, const Task& task) {
  GraphBuilder builder(task.options().convention.style);
  const NodeId image = builder.Input("image", task.options().input);
  const Features features = BuildBackbone(builder, image, backbone, width, choices);
  builder.BeginSection("head");
  task.BuildHead(builder, features);
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
  return MakeHead(backbone, width, task).graph;
}

std::map<std::string, int64_t> CarriedBytes(const Backbone& backbone, double width, const Task& task,
                                            Precision precision) {
  const HeadPart head = MakeHead(backbone, width, task);
  const FeatureShapes shapes = ShapesOf(backbone, width, task.options().input);
  // Slot i (0-based) reads the output of slot i - 1, so taps from before that are carried; the tail reads the last
  // slot.
  const auto carried = [&](size_t reader) {
    int64_t bytes = 0;
    for (const size_t tap : head.slots) {
      if (tap + 1 < reader) bytes += shapes.slots[tap].elements() * ActivationBytes(precision);
    }
    return bytes;
  };
  std::map<std::string, int64_t> parts = {{"stem", 0}, {"tail", carried(shapes.slots.size())}, {"head", 0}};
  for (size_t i = 0; i < shapes.slots.size(); ++i) parts["slot" + std::to_string(i + 1)] = carried(i);
  return parts;
}

}  // namespace hot
