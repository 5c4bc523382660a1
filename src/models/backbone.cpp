#include "models/backbone.h"

#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "graph/key.h"
#include "models/imported/imported_backbone.h"
#include "models/mobilenet_v2.h"
#include "models/resnet.h"

namespace hot {
namespace {

// "k3" -> 3; throws for `whole` when `text` is not the letter and a positive number.
int ParseField(std::string_view text, char letter, std::string_view whole) {
  int value = 0;
  if (!text.empty() && text[0] == letter) {
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size() && value > 0) return value;
  }
  throw Error(Code::kInvalidArgument, "choice", "can't read \"" + std::string(whole) + "\"",
              "write it like irb-k3-e6@int8");
}

Graph SlotAlone(const Slot& slot, const Choice& choice, Shape input) {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", input);
  builder.Output(BuildSlot(builder, x, slot, choice));
  return std::move(builder).Build();
}

}  // namespace

std::string Choice::Name() const {
  return block + "-k" + std::to_string(kernel) + "-e" + std::to_string(expansion) + "@" + PrecisionName(precision);
}

Choice Choice::Parse(std::string_view name) {
  Choice choice;
  const size_t at = name.find('@');
  if (at != std::string_view::npos) choice.precision = ParsePrecision(name.substr(at + 1));
  const std::string_view body = name.substr(0, at);
  const size_t first = body.find('-');
  const size_t second = first == std::string_view::npos ? first : body.find('-', first + 1);
  if (second == std::string_view::npos) ParseField("", 'k', name);
  const std::string_view block = body.substr(0, first);
  choice.block = block == kOriginal ? block : FindBlock(block).type();
  choice.kernel = ParseField(body.substr(first + 1, second - first - 1), 'k', name);
  choice.expansion = ParseField(body.substr(second + 1), 'e', name);
  return choice;
}

std::span<const Backbone* const> AllBackbones() {
  static const MobileNetV2 mobilenet_v2;
  static const ResNet resnet18(kResNet18), resnet34(kResNet34), resnet50(kResNet50);
  static const std::array<const Backbone*, 4> backbones{&mobilenet_v2, &resnet18, &resnet34, &resnet50};
  return backbones;
}

const Backbone& FindBackbone(std::string_view name) {
  std::vector<std::string> known;
  for (const Backbone* backbone : AllBackbones()) {
    if (backbone->name() == name) return *backbone;
    known.emplace_back(backbone->name());
  }
  throw Error(Code::kInvalidArgument, "backbone", "unknown backbone \"" + std::string(name) + "\"",
              "known: " + JoinNames(known));
}

std::shared_ptr<const Backbone> OpenBackbone(const std::string& name) {
  if (IsImported(name)) return ReadImported(name);
  return {std::shared_ptr<const Backbone>(), &FindBackbone(name)};  // owns nothing
}

std::map<int, int> SlotsByStride(const Backbone& backbone) {
  std::map<int, int> slots;
  int stride = backbone.traits().stem_stride;
  for (const Slot& slot : backbone.Slots(1.0, Precision::kFp32)) {
    stride *= slot.stride;
    slots[stride] = slot.index;
  }
  return slots;
}

NodeId BuildSlot(GraphBuilder& builder, NodeId x, const Slot& slot, const Choice& choice) {
  const std::string prefix = "slot" + std::to_string(slot.index) + ".";
  if (choice.block == kOriginal) {
    for (int repeat = 0; repeat < slot.repeats; ++repeat) {
      const Graph& original = *slot.originals.at(static_cast<size_t>(slot.first_repeat + repeat));
      x = AppendGraph(builder, x, original, prefix + std::to_string(repeat));
    }
    return x;
  }
  const Block& block = FindBlock(choice.block);
  for (int repeat = 0; repeat < slot.repeats; ++repeat) {
    const BlockSpec spec{.out_channels = slot.out_channels,
                         .stride = repeat == 0 ? slot.stride : 1,
                         .kernel = choice.kernel,
                         .expansion = choice.expansion};
    x = block.Build(builder, x, spec, prefix + std::to_string(repeat));
  }
  return x;
}

Features BuildBackbone(GraphBuilder& builder, NodeId image, const Backbone& backbone, double width,
                       const std::vector<Choice>& choices, bool with_tail) {
  const std::vector<Slot> slots = backbone.Slots(width, Precision::kFp32);
  HOT_ASSERT(choices.size() == slots.size());
  builder.BeginSection("stem");
  NodeId x = backbone.BuildStem(builder, image, width);
  std::vector<NodeId> outputs;
  for (size_t i = 0; i < slots.size(); ++i) {
    builder.BeginSection("slot" + std::to_string(slots[i].index));
    x = BuildSlot(builder, x, slots[i], choices[i]);
    outputs.push_back(x);
  }
  Features features{.slots = {}, .tail = -1, .narrow = backbone.traits().narrow_slots};
  for (const auto& [stride, slot] : SlotsByStride(backbone)) {
    features.slots[stride] = {.slot = slot, .node = outputs[static_cast<size_t>(slot - 1)]};
  }
  if (!with_tail) return features;
  if (backbone.traits().has_tail) builder.BeginSection("tail");
  features.tail = backbone.BuildTail(builder, x, width);
  return features;
}

void BuildClassifierHead(GraphBuilder& builder, const Features& features, int classes) {
  const NodeId pooled = builder.Unary(Op::kGlobalAvgPool, "head.pool", features.tail);
  builder.Output(builder.Linear("head.classifier", pooled, classes));
}

Graph BuildClassifier(const Backbone& backbone, double width, const std::vector<Choice>& choices, Shape image,
                      int classes) {
  GraphBuilder builder;
  const NodeId input = builder.Input("image", image);
  const Features features = BuildBackbone(builder, input, backbone, width, choices);
  builder.BeginSection("head");
  BuildClassifierHead(builder, features, classes);
  return std::move(builder).Build();
}

std::vector<Choice> WithPrecision(std::vector<Choice> choices, Precision precision) {
  for (Choice& choice : choices) choice.precision = precision;
  return choices;
}

std::vector<Choice> BaselineChoices(const Backbone& backbone, double width, Precision precision) {
  std::vector<Choice> choices;
  for (const Slot& slot : backbone.Slots(width, precision)) choices.push_back(slot.baseline);
  return choices;
}

std::vector<Shape> SlotInputShapes(const Backbone& backbone, double width, Shape image) {
  GraphBuilder builder;
  NodeId x = backbone.BuildStem(builder, builder.Input("image", image), width);
  std::vector<Shape> shapes;
  for (const Slot& slot : backbone.Slots(width, Precision::kFp32)) {
    shapes.push_back(builder.shape(x));
    x = BuildSlot(builder, x, slot, slot.baseline);
  }
  shapes.push_back(builder.shape(x));
  return shapes;
}

std::vector<Choice> DistinctChoices(const Slot& slot, Shape input) {
  const auto key_of = [&](const Choice& choice) { return GraphKey(SlotAlone(slot, choice, input), choice.precision); };
  const std::string baseline_key = key_of(slot.baseline);
  std::vector<Choice> distinct;
  std::set<std::string> seen;
  for (const Choice& choice : slot.choices) {  // by rising expansion, so the first of equals has the lowest
    const std::string key = key_of(choice);
    if (seen.insert(key).second) distinct.push_back(key == baseline_key ? slot.baseline : choice);
  }
  return distinct;
}

}  // namespace hot
