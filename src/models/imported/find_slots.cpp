#include "models/imported/find_slots.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"

namespace hot {
namespace {

// A run of the trunk: what lies behind `from` up to `to`.
struct TrunkRun {
  NodeId from = -1, to = -1;
  std::vector<BlockMatch> blocks;
};

// The nodes through which all that ends in an output must pass: the dominators of that output. Where a network has
// several outputs, it is the one behind the most of them.
class Trunk {
 public:
  explicit Trunk(const Graph& graph) : graph_(graph), dominator_(static_cast<size_t>(graph.size()), -1) {
    std::vector<int> depth(static_cast<size_t>(graph.size()), 0);
    for (NodeId id = 0; id < graph.size(); ++id) {
      NodeId common = -1;
      for (const NodeId input : graph.node(id).inputs) common = common < 0 ? input : Common(common, input, depth);
      dominator_[static_cast<size_t>(id)] = common;
      if (common >= 0) depth[static_cast<size_t>(id)] = depth[static_cast<size_t>(common)] + 1;
    }
    end_ = *std::ranges::max_element(graph.outputs(), {}, [&](NodeId id) { return depth[static_cast<size_t>(id)]; });
    for (NodeId id = end_; id >= 0; id = dominator_[static_cast<size_t>(id)]) chain_.push_back(id);
    std::ranges::reverse(chain_);
  }

  // From the input to the output.
  const std::vector<NodeId>& chain() const { return chain_; }
  std::vector<bool> Nodes() const {
    std::vector<bool> nodes(static_cast<size_t>(graph_.size()), false);
    nodes[static_cast<size_t>(end_)] = true;
    for (NodeId id = end_; id >= 0; --id) {
      if (!nodes[static_cast<size_t>(id)]) continue;
      for (const NodeId input : graph_.node(id).inputs) nodes[static_cast<size_t>(input)] = true;
    }
    return nodes;
  }

 private:
  NodeId Common(NodeId a, NodeId b, const std::vector<int>& depth) const {
    while (a != b) {
      NodeId& deeper = depth[static_cast<size_t>(a)] >= depth[static_cast<size_t>(b)] ? a : b;
      deeper = dominator_[static_cast<size_t>(deeper)];
    }
    return a;
  }

  const Graph& graph_;
  std::vector<NodeId> dominator_, chain_;
  NodeId end_ = -1;
};

// One choice is for all blocks of a stage, so all of them expand, or none.
bool SameStage(const BlockMatch& first, const BlockMatch& next) {
  const bool expand = first.expansion != 1, next_expands = next.expansion != 1;
  return first.type == next.type && first.out_channels == next.out_channels && next.stride == 1 &&
         expand == next_expands;
}

// Blocks and what lies between them. What is behind the last block is not among them.
std::vector<TrunkRun> FindRuns(const Graph& graph, const Trunk& trunk) {
  const BlockMatcher matcher(graph, trunk.Nodes());
  const std::vector<NodeId>& chain = trunk.chain();
  std::vector<TrunkRun> runs;
  NodeId end = chain.front();  // of the run before
  for (size_t at = 1; at < chain.size();) {
    const std::optional<BlockMatch> match = matcher.At(chain[at]);
    if (!match || match->last == chain.back()) {  // of several heads, one may look like a block
      ++at;
      continue;
    }
    if (chain[at] != end) runs.push_back({.from = end, .to = chain[at], .blocks = {}});
    const bool joins = !runs.back().blocks.empty() && SameStage(runs.back().blocks.back(), *match);
    if (!joins) runs.push_back({.from = chain[at], .to = match->last, .blocks = {}});
    runs.back().blocks.push_back(*match);
    runs.back().to = end = match->last;
    at = static_cast<size_t>(std::ranges::find(chain, match->last) - chain.begin());
  }
  return runs;
}

// The nodes of a network that ends as classifiers do.
struct ClassifierEnd {
  NodeId pool = -1, linear = -1, input = -1;
};

std::optional<ClassifierEnd> FindClassifierEnd(const Graph& graph) {
  if (graph.outputs().size() != 1) return std::nullopt;
  NodeId id = graph.outputs()[0];
  if (graph.node(id).op == Op::kSoftmax || graph.node(id).op == Op::kSigmoid) id = graph.node(id).inputs[0];
  if (graph.node(id).op != Op::kLinear) return std::nullopt;
  ClassifierEnd end{.linear = id, .input = graph.node(id).inputs[0]};
  if (graph.node(end.input).op != Op::kGlobalAvgPool) return end;
  end.pool = end.input;
  end.input = graph.node(end.pool).inputs[0];
  return end;
}

class Slotter {
 public:
  Slotter(const Network& network, const std::string& where)
      : source_(network.graph),
        weights_(network.weights),
        trunk_(source_),
        section_(static_cast<size_t>(source_.size()), -1) {
    runs_ = FindRuns(source_, trunk_);
    if (runs_.empty()) {
      throw Error(Code::kUnimplemented, where, "has no block that is known, so nothing could be searched",
                  "inverted residual, fused, basic and bottleneck blocks are known");
    }
    AddTailAndHead();
  }

  SlottedNetwork Run() {
    NameBlocks();
    std::vector<NodeId> mapped(static_cast<size_t>(source_.size()), -1);
    for (size_t section = 0; section < names_.size(); ++section) {
      if (section > 0) builder_.BeginSection(names_[section]);
      result_.sections.push_back(Describe(section));
      for (NodeId id = 0; id < source_.size(); ++id) {
        if (section_[static_cast<size_t>(id)] == static_cast<int>(section))
          mapped[static_cast<size_t>(id)] = Copy(id, mapped);
      }
    }
    result_.sections.erase(result_.sections.begin());  // of the input
    for (const NodeId output : source_.outputs()) builder_.Output(mapped[static_cast<size_t>(output)]);
    result_.network.graph = std::move(builder_).Build();
    return std::move(result_);
  }

 private:
  // Section 0 is the input's; then one a run, the first of which is the stem; then tail and head.
  void AddTailAndHead() {
    names_ = {"input", "stem"};
    Mark(trunk_.chain().front(), 0);
    for (size_t i = 0; i < runs_.size(); ++i) {
      Mark(runs_[i].to, static_cast<int>(i) + 1);
      if (i > 0) names_.push_back("slot" + std::to_string(i));
    }
    const NodeId last = runs_.back().to;
    classifier_ = FindClassifierEnd(source_);
    const bool on_trunk = classifier_ && std::ranges::count(trunk_.chain(), classifier_->input) > 0;
    if (!on_trunk || section_[static_cast<size_t>(classifier_->linear)] >= 0) classifier_.reset();
    if (classifier_ && classifier_->input != last) {
      names_.push_back("tail");
      Mark(classifier_->input, static_cast<int>(names_.size()) - 1);
    }
    names_.push_back("head");
    for (int& section : section_) section = section < 0 ? static_cast<int>(names_.size()) - 1 : section;
  }

  // All that `id` depends on and has no section yet.
  void Mark(NodeId id, int section) {
    for (std::vector<NodeId> open{id}; !open.empty();) {
      const NodeId at = open.back();
      open.pop_back();
      if (section_[static_cast<size_t>(at)] >= 0) continue;
      section_[static_cast<size_t>(at)] = section;
      for (const NodeId input : source_.node(at).inputs) open.push_back(input);
    }
  }

  void NameBlocks() {
    for (size_t i = 0; i < runs_.size(); ++i) {
      for (size_t repeat = 0; repeat < runs_[i].blocks.size(); ++repeat) {
        const std::string prefix = "slot" + std::to_string(i) + "." + std::to_string(repeat) + ".";
        for (const auto& [id, name] : runs_[i].blocks[repeat].names) new_names_[id] = prefix + name;
      }
    }
    if (classifier_) {
      if (classifier_->pool >= 0) new_names_[classifier_->pool] = "head.pool";
      new_names_[classifier_->linear] = "head.classifier";
    }
    NameFirstUnit("stem");
    if (std::ranges::count(names_, "tail") > 0) NameFirstUnit("tail");
    for (const auto& [id, name] : new_names_) taken_.insert(name);
  }

  // Convolution, batch norm and activation that begin a section: as GraphBuilder::ConvBn names them.
  void NameFirstUnit(const std::string& section) {
    const int wanted = static_cast<int>(std::ranges::find(names_, section) - names_.begin());
    const auto in_section = [&](NodeId id) { return section_[static_cast<size_t>(id)] == wanted; };
    NodeId id = 0;
    while (id < source_.size() && !(in_section(id) && source_.node(id).op == Op::kConv)) ++id;
    if (id == source_.size()) return;
    new_names_[id] = section + ".conv";
    for (const auto& [ops, name] :
         {std::pair{std::set{Op::kBatchNorm}, ".bn"}, {std::set{Op::kRelu, Op::kRelu6, Op::kHardSwish}, ".act"}}) {
      const auto& nodes = source_.nodes();
      const auto next = std::ranges::find_if(
          nodes, [&](const Node& node) { return node.inputs == std::vector<NodeId>{id} && ops.contains(node.op); });
      if (next == nodes.end() || !in_section(static_cast<NodeId>(next - nodes.begin()))) continue;
      id = static_cast<NodeId>(next - nodes.begin());
      new_names_[id] = section + name;
    }
  }

  std::string NameOf(NodeId id) {
    if (const auto found = new_names_.find(id); found != new_names_.end()) return found->second;
    const std::string& section = names_[static_cast<size_t>(section_[static_cast<size_t>(id)])];
    if (section == "input") return "image";
    std::string name = section + (section.starts_with("slot") ? ".0." : ".") + source_.node(id).name;
    while (!taken_.insert(name).second) name += "_";
    return name;
  }

  NodeId Copy(NodeId id, const std::vector<NodeId>& mapped) {
    const Node& node = source_.node(id);
    const std::string name = NameOf(id);
    std::vector<NodeId> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(mapped[static_cast<size_t>(input)]);
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
      const auto found = weights_.find(node.name + part);
      if (found != weights_.end()) result_.network.weights[name + part] = found->second;
    }
    return builder_.Copy(node, name, inputs);
  }

  FoundSection Describe(size_t section) const {
    FoundSection found{.name = names_[section], .blocks = {}, .reason = "", .first = "", .last = ""};
    for (NodeId id = 0; id < source_.size(); ++id) {
      if (section_[static_cast<size_t>(id)] != static_cast<int>(section)) continue;
      if (found.nodes++ == 0) found.first = source_.node(id).name;
      found.last = source_.node(id).name;
    }
    const bool is_slot = found.name.starts_with("slot");
    if (is_slot) found.blocks = runs_[section - 1].blocks;
    if (!is_slot) found.reason = found.name == "stem" ? "before the first block" : "behind the last block";
    if (is_slot && found.blocks.empty()) found.reason = KeptBecause(section);
    return found;
  }

  // Of a slot between blocks.
  std::string KeptBecause(size_t section) const {
    const auto is_inside = [&](NodeId id) { return section_[static_cast<size_t>(id)] == static_cast<int>(section); };
    for (NodeId id = 0; id < source_.size(); ++id) {
      for (const NodeId input : source_.node(id).inputs) {
        if (is_inside(input) && section_[static_cast<size_t>(id)] == static_cast<int>(names_.size()) - 1)
          return "the head reads its " + source_.node(input).name;
      }
    }
    return "no block that is known";
  }

  const Graph& source_;
  const Weights& weights_;
  const Trunk trunk_;
  std::vector<TrunkRun> runs_;
  std::vector<int> section_;  // of each node
  std::vector<std::string> names_;
  std::map<NodeId, std::string> new_names_;
  std::set<std::string> taken_;
  std::optional<ClassifierEnd> classifier_;
  GraphBuilder builder_;
  SlottedNetwork result_;
};

}  // namespace

SlottedNetwork FindSlots(const Network& network, const std::string& where) { return Slotter(network, where).Run(); }

}  // namespace hot
