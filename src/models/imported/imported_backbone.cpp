#include "models/imported/imported_backbone.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "graph/graph_file.h"
#include "models/imported/block_match.h"
#include "models/mobilenet_v2.h"
#include "models/resnet.h"

namespace hot {
namespace {

// Input pixels a cell of the graph's last node.
int StrideOf(const Graph& graph) {
  std::vector<int> strides;
  for (const Node& node : graph.nodes()) {
    const bool slides = node.op == Op::kConv || node.op == Op::kMaxPool || node.op == Op::kAvgPool;
    const int before = node.inputs.empty() ? 1 : strides[static_cast<size_t>(node.inputs[0])];
    strides.push_back(slides ? before * node.attrs.stride : before);
    if (node.op == Op::kUpsample) strides.back() = std::max(1, before / node.attrs.stride);
  }
  return strides.back();
}

// Takes runs of a graph out of it, one behind the other.
class Cutter {
 public:
  Cutter(const Graph& graph, const std::string& where) : graph_(graph), where_(where) {
    if (graph.inputs().size() != 1 || graph.inputs()[0] != 0) Broken("it has not one input, first of all nodes");
  }

  // [first, last) as a graph of its own, which reads what the last run gives; `prefix` is taken off the names.
  Graph Cut(NodeId first, NodeId last, const std::string& prefix) {
    GraphBuilder builder;
    std::vector<NodeId> mapped(static_cast<size_t>(graph_.size()), -1);
    mapped[static_cast<size_t>(before_)] = builder.Input("x", graph_.node(before_).shape);
    if (first >= last) Broken("section " + prefix + " is empty");
    for (NodeId id = first; id < last; ++id) {
      const Node& node = graph_.node(id);
      std::vector<NodeId> inputs;
      for (const NodeId input : node.inputs) inputs.push_back(mapped[static_cast<size_t>(input)]);
      if (std::ranges::count(inputs, -1) > 0 || !node.name.starts_with(prefix))
        Broken("node " + node.name + " is not of section " + prefix + " alone");
      mapped[static_cast<size_t>(id)] = builder.Copy(node, node.name.substr(prefix.size()), inputs);
    }
    before_ = last - 1;
    builder.Output(mapped[static_cast<size_t>(before_)]);
    return std::move(builder).Build();
  }

  // The end of the nodes of [first, last) whose names begin so.
  NodeId EndOf(NodeId first, NodeId last, const std::string& prefix) const {
    while (first < last && graph_.node(first).name.starts_with(prefix)) ++first;
    return first;
  }

  [[noreturn]] void Broken(const std::string& why) const {
    throw Error(Code::kDataLoss, where_, "is no imported network: " + why, "run hot import again");
  }

 private:
  const Graph& graph_;
  const std::string& where_;
  NodeId before_ = 0;
};

std::optional<BlockMatch> Recognize(const Graph& block) {
  const BlockMatcher matcher(block, std::vector<bool>(static_cast<size_t>(block.size()), true));
  std::optional<BlockMatch> match = matcher.At(0);
  return match && match->last == block.size() - 1 ? match : std::nullopt;
}

// What may stand where `block` stands, without itself.
std::vector<Choice> ChoicesBeside(const BlockMatch& block) {
  const bool residual = block.type == "basic" || block.type == "bottleneck";
  std::vector<Choice> choices = residual ? ResNetChoices(block.type == "bottleneck", Precision::kFp32)
                                         : InvertedResidualChoices(block.expansion != 1, Precision::kFp32);
  std::erase(choices,
             Choice{.block = block.ours ? block.type : "", .kernel = block.kernel, .expansion = block.expansion});
  return choices;
}

}  // namespace

ImportedBackbone::ImportedBackbone(const Graph& graph, std::string name) : name_(std::move(name)) {
  Cutter cutter(graph, name_);
  for (const Section& section : graph.sections()) {
    if (section.name == "head") break;
    if (section.name == "stem") {
      stem_ = cutter.Cut(section.first, section.last, "stem.");
      traits_.stem_stride = StrideOf(stem_);
    } else if (section.name == "tail") {
      tail_ = cutter.Cut(section.first, section.last, "tail.");
      traits_.has_tail = true;
    } else {
      Slot slot;
      for (NodeId first = section.first, last = first; first < section.last; first = last) {
        const std::string prefix = section.name + "." + std::to_string(slot.originals.size()) + ".";
        last = cutter.EndOf(first, section.last, prefix);
        slot.originals.push_back(std::make_shared<const Graph>(cutter.Cut(first, last, prefix)));
      }
      AddSlot(std::move(slot));
    }
  }
  if (stem_.size() == 0 || slots_.empty()) cutter.Broken("it has no stem or no slot");
}

void ImportedBackbone::AddSlot(Slot slot) {
  slot.index = slot.stage = static_cast<int>(slots_.size()) + 1;
  slot.repeats = static_cast<int>(slot.originals.size());
  const Graph& first = *slot.originals.front();
  slot.out_channels = first.nodes().back().shape.c;
  slot.stride = StrideOf(first);
  slot.baseline = {.block = kOriginal, .kernel = 1, .expansion = 1};
  slot.choices = {slot.baseline};
  traits_.narrow_slots = false;
  if (const std::optional<BlockMatch> block = Recognize(first)) {
    slot.baseline.kernel = block->kernel;
    slot.baseline.expansion = std::max(1, block->expansion);
    slot.choices = ChoicesBeside(*block);
    slot.choices.insert(slot.choices.begin(), slot.baseline);
    traits_.narrow_slots = block->type == "irb" || block->type == "fused";
  }
  slots_.push_back(std::move(slot));
}

std::vector<Slot> ImportedBackbone::Slots(double width, Precision precision) const {
  if (width != 1) {
    throw Error(Code::kInvalidArgument, "model.width", "an imported network has its own width only",
                "model.width: 1.0");
  }
  std::vector<Slot> slots = slots_;
  for (Slot& slot : slots) {
    slot.baseline.precision = precision;
    for (Choice& choice : slot.choices) choice.precision = precision;
  }
  return slots;
}

NodeId ImportedBackbone::BuildStem(GraphBuilder& builder, NodeId image, double /*width*/) const {
  return AppendGraph(builder, image, stem_, "stem");
}

NodeId ImportedBackbone::BuildTail(GraphBuilder& builder, NodeId x, double /*width*/) const {
  return traits_.has_tail ? AppendGraph(builder, x, tail_, "tail") : x;
}

bool IsImported(std::string_view name) { return name.starts_with(kImportPrefix); }

fs::path ImportedFolder(std::string_view name) { return name.substr(std::string_view(kImportPrefix).size()); }

std::unique_ptr<Backbone> ReadImported(const std::string& name) {
  return std::make_unique<ImportedBackbone>(ReadGraph(ImportedFolder(name) / kImportedGraph), name);
}

std::string BackboneKey(const std::string& name) {
  return IsImported(name) ? Sha256File(ImportedFolder(name) / kImportedGraph) : "";
}

}  // namespace hot
