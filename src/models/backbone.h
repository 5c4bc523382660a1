// Backbones and their search space: slots (places where a block may be replaced) and choices (what may stand there).
// To add one: a file beside this with the class and its row in AllBackbones(). Studies may change slots and choices:
// search_space.h.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "blocks/block.h"
#include "graph/graph.h"
#include "graph/precision.h"

namespace hot {

// "irb-k3-e6@int8": block type, kernel, expansion, precision.
struct Choice {
  std::string block;
  int kernel = 3;
  int expansion = 6;
  Precision precision = Precision::kFp32;

  std::string Name() const;
  // Parses Name(); "@precision" may be missing (fp32). Throws Error(kInvalidArgument).
  static Choice Parse(std::string_view name);
  bool operator==(const Choice&) const = default;
};

// The same blocks in one number format: what is trained, and what networks are told apart by.
std::vector<Choice> WithPrecision(std::vector<Choice> choices, Precision precision);

struct Slot {
  int index = 0;  // 1-based, as in the paper
  int out_channels = 0;
  int repeats = 1;  // the first has the stride
  int stride = 1;
  int stage = 0;         // 1-based, of the published network; where a slot is a stage, its index
  int first_repeat = 0;  // of the stage's blocks, the slot's first
  Choice baseline;
  std::vector<Choice> choices;  // before removing structural doubles; the baseline may be none of them
  // Of an imported network: what stands in the stage's blocks, from `first_repeat` on the slot's; what the choice of
  // block kOriginal builds. Shared: graphs never change, and slots are copied.
  std::vector<std::shared_ptr<const Graph>> originals;
};

// The block type of a choice that keeps what an imported network has in a slot. It is none of AllBlocks().
inline constexpr const char* kOriginal = "original";

// What a head may read of a slot.
struct SlotFeature {
  int slot = 0;  // 1-based
  NodeId node = -1;
};

// What a head may read.
struct Features {
  std::map<int, SlotFeature> slots;  // by stride in input pixels: the output of the last slot that has it
  NodeId tail = -1;                  // -1: not built; the last slot's output where the backbone has none
  bool narrow = true;                // BackboneTraits::narrow_slots
};

struct BackboneTraits {
  int stem_stride = 2;
  bool has_tail = true;      // a 1x1 convolution behind the last slot
  bool narrow_slots = true;  // slots end in linear bottlenecks: what predicts from one widens it first (docs/adr/0006)
};

class Backbone {
 public:
  virtual ~Backbone() = default;
  virtual std::string_view name() const = 0;
  virtual BackboneTraits traits() const = 0;
  // Slots at this width with the seed space at one precision.
  virtual std::vector<Slot> Slots(double width, Precision precision) const = 0;
  virtual NodeId BuildStem(GraphBuilder& builder, NodeId image, double width) const = 0;
  // `x` itself where the backbone has no tail.
  virtual NodeId BuildTail(GraphBuilder& builder, NodeId x, double width) const = 0;
};

std::span<const Backbone* const> AllBackbones();
// Throws Error(kInvalidArgument) with the known names.
const Backbone& FindBackbone(std::string_view name);
// The same, or a network that `hot import` wrote, "import:FOLDER". Shared: networks of the list live for ever,
// imported ones as long as somebody uses them. Also throws what ReadImported() throws.
std::shared_ptr<const Backbone> OpenBackbone(const std::string& name);

// The last slot (1-based) whose output has a stride, by stride in input pixels.
std::map<int, int> SlotsByStride(const Backbone& backbone);

// All repeats of `slot` with `choice`; nodes are named "slotN.R.*". Returns the output.
NodeId BuildSlot(GraphBuilder& builder, NodeId x, const Slot& slot, const Choice& choice);

// Stem, slots with `choices` (exactly one a slot) and, where a head reads it and the backbone has one, the tail, each
// its own section. `image` is an existing input node.
Features BuildBackbone(GraphBuilder& builder, NodeId image, const Backbone& backbone, double width,
                       const std::vector<Choice>& choices, bool with_tail = true);

// The head as published: global average pooling ("head.pool") and one linear layer ("head.classifier"), the output.
void BuildClassifierHead(GraphBuilder& builder, const Features& features, int classes);

// Classifier: backbone, global average pool, linear; for checking against published numbers.
Graph BuildClassifier(const Backbone& backbone, double width, const std::vector<Choice>& choices, Shape image,
                      int classes);

std::vector<Choice> BaselineChoices(const Backbone& backbone, double width, Precision precision);

// Input shape of each slot, then of the tail: element i is what slot i+1 reads, the last what the tail reads.
std::vector<Shape> SlotInputShapes(const Backbone& backbone, double width, Shape image);

// Choices of a slot after structural doubles are dropped (equal GraphKey); each is named by its lowest expansion, or as
// the baseline where it is built like that.
std::vector<Choice> DistinctChoices(const Slot& slot, Shape input);

}  // namespace hot
