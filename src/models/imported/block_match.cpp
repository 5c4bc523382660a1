#include "models/imported/block_match.h"

#include <algorithm>
#include <utility>

#include "blocks/block.h"

namespace hot {
namespace {

bool IsActivation(Op op) { return op == Op::kRelu || op == Op::kRelu6 || op == Op::kHardSwish; }
bool IsGate(Op op) { return op == Op::kHardSigmoid || op == Op::kSigmoid; }

}  // namespace

std::string BlockMatch::Text() const {
  std::string text = type + "-k" + std::to_string(kernel);
  if (expansion > 0) text += "-e" + std::to_string(expansion);
  if (ours) return text;
  return text + " (" + std::string(OpName(activation)) + (squeezes ? ", squeeze-and-excitation)" : ")");
}

// A convolution with the batch norm, activation and squeeze-and-excitation behind it.
struct BlockMatcher::Unit {
  NodeId conv = -1, norm = -1, act = -1, last = -1;
  std::vector<NodeId> excitation;  // pool, squeeze, its activation, excite, gate, product
  Op activation = Op::kInput;
  Attrs attrs;
  int in = 0, out = 0;

  bool Pointwise() const { return attrs.kernel == 1 && attrs.stride == 1 && attrs.groups == 1; }
  bool Depthwise() const { return attrs.groups == in && in == out && attrs.groups > 1; }
  bool Full() const { return attrs.groups == 1; }
  bool Linear() const { return act < 0; }
  bool Centred() const {
    return std::ranges::all_of(attrs.pads, [&](int pad) { return pad == attrs.kernel / 2; }) && attrs.kernel % 2 == 1;
  }
};

namespace {

using Unit = BlockMatcher::Unit;

struct Pattern {
  const char* type;
  std::vector<const char*> parts;  // names of the convolutions
  bool activated;                  // behind the addition
  bool (*fits)(const std::vector<Unit>& units);
};

bool IsInverted(const std::vector<Unit>& units) {
  const Unit& depthwise = units[units.size() - 2];
  return depthwise.Depthwise() && units.back().Pointwise() && (units.size() == 2 || units[0].Pointwise());
}
bool IsFused(const std::vector<Unit>& units) {
  return units[0].Full() && units[0].attrs.kernel > 1 && units[1].Pointwise();
}
bool IsBasic(const std::vector<Unit>& units) {
  const Attrs &first = units[0].attrs, &second = units[1].attrs;
  return units[0].Full() && units[1].Full() && first.kernel > 1 && second.kernel == first.kernel && second.stride == 1;
}
bool IsBottleneck(const std::vector<Unit>& units) {
  return units[0].Pointwise() && units[1].Full() && units[2].Pointwise();
}

const std::vector<Pattern>& Patterns() {
  static const std::vector<Pattern> kPatterns{{"irb", {"expand", "depthwise", "project"}, false, IsInverted},
                                              {"irb", {"depthwise", "project"}, false, IsInverted},
                                              {"fused", {"expand", "project"}, false, IsFused},
                                              {"basic", {"first", "second"}, true, IsBasic},
                                              {"bottleneck", {"reduce", "middle", "expand"}, true, IsBottleneck}};
  return kPatterns;
}

// BlockSpec's, or 0.
int ExpansionOf(const Pattern& pattern, const std::vector<Unit>& units) {
  const int in = units[0].in, out = units.back().out, middle = units[0].out;
  if (pattern.activated) {
    const int expansion = std::max(1, out / middle);
    return RoundChannels(static_cast<double>(out) / expansion) == middle ? expansion : 0;
  }
  const bool expands = pattern.parts.size() == 3 || std::string_view(pattern.parts[0]) == "expand";
  if (expands && std::string_view(pattern.type) == "irb" && middle == in) return 0;  // ours has no such layer then
  return middle % in == 0 ? middle / in : 0;
}

void NameUnit(const Unit& unit, const std::string& part, std::map<NodeId, std::string>& names) {
  static constexpr const char* kExcitation[] = {"pool", "squeeze", "squeeze_act", "excite", "gate", "scale"};
  names[unit.conv] = part + ".conv";
  if (unit.norm >= 0) names[unit.norm] = part + ".bn";
  if (unit.act >= 0) names[unit.act] = part + ".act";
  for (size_t i = 0; i < unit.excitation.size(); ++i) names[unit.excitation[i]] = part + "." + kExcitation[i];
}

BlockMatch Describe(const Pattern& pattern, const std::vector<Unit>& units) {
  const Unit& wide = units[units.size() == 3 ? 1 : 0];
  const Op expected = pattern.activated ? Op::kRelu : Op::kRelu6;
  BlockMatch match{.type = pattern.type,
                   .kernel = wide.attrs.kernel,
                   .expansion = ExpansionOf(pattern, units),
                   .out_channels = units.back().out,
                   .activation = expected,
                   .last = units.back().last};
  match.ours = match.expansion > 0;
  for (size_t i = 0; i < units.size(); ++i) {
    const Unit& unit = units[i];
    match.stride *= unit.attrs.stride;
    match.squeezes |= !unit.excitation.empty();
    if (!unit.Linear()) match.activation = unit.activation;
    match.ours &= unit.Centred() && unit.excitation.empty() && (unit.Linear() || unit.activation == expected);
    NameUnit(unit, pattern.parts[i], match.names);
  }
  return match;
}

std::optional<BlockMatch> Classify(const std::vector<Unit>& units, bool activated) {
  if (units.size() < 2 || !units.back().Linear()) return std::nullopt;
  if (std::any_of(units.begin(), units.end() - 1, [](const Unit& unit) { return unit.Linear(); })) return std::nullopt;
  for (const Pattern& pattern : Patterns()) {
    if (pattern.parts.size() == units.size() && pattern.activated == activated && pattern.fits(units))
      return Describe(pattern, units);
  }
  return std::nullopt;
}

}  // namespace

struct BlockMatcher::Branch {
  std::vector<Unit> units;
  NodeId end = -1;  // the one node that reads the last unit, if it is one
};

struct BlockMatcher::Fork {
  Branch main;
  std::vector<Unit> shortcut;
  NodeId add = -1;
};

BlockMatcher::BlockMatcher(const Graph& graph, std::vector<bool> trunk)
    : graph_(graph),
      trunk_(std::move(trunk)),
      readers_(graph.Consumers()),
      outputs_(static_cast<size_t>(graph.size()), false) {
  for (const NodeId output : graph.outputs()) outputs_[static_cast<size_t>(output)] = true;
}

// Whether nothing but the trunk reads a node: a block may be replaced only when all its inside is.
bool BlockMatcher::IsPrivate(NodeId id) const {
  const auto& readers = readers_[static_cast<size_t>(id)];
  return !outputs_[static_cast<size_t>(id)] &&
         std::ranges::all_of(readers, [&](NodeId reader) { return trunk_[static_cast<size_t>(reader)]; });
}

NodeId BlockMatcher::SoleReader(NodeId id) const {
  const auto& readers = readers_[static_cast<size_t>(id)];
  return IsPrivate(id) && readers.size() == 1 ? readers[0] : -1;
}

std::vector<NodeId> BlockMatcher::TrunkReaders(NodeId id) const {
  std::vector<NodeId> readers;
  for (const NodeId reader : readers_[static_cast<size_t>(id)]) {
    if (trunk_[static_cast<size_t>(reader)]) readers.push_back(reader);
  }
  return readers;
}

// y * gate(excite(act(squeeze(mean(y))))): the product, if that is what reads y. Adds its nodes.
std::optional<NodeId> BlockMatcher::ExcitedBy(NodeId y, std::vector<NodeId>& nodes) const {
  const auto& readers = readers_[static_cast<size_t>(y)];
  if (!IsPrivate(y) || readers.size() != 2) return std::nullopt;
  const bool pool_first = graph_.node(readers[0]).op == Op::kGlobalAvgPool;
  NodeId at = readers[pool_first ? 0 : 1];
  const NodeId product = readers[pool_first ? 1 : 0];
  if (graph_.node(product).op != Op::kMul) return std::nullopt;
  std::vector<NodeId> found{at};
  for (const auto expected : {IsLayer, IsActivation, IsLayer, IsGate}) {
    at = SoleReader(at);
    if (at < 0 || !expected(graph_.node(at).op)) return std::nullopt;
    found.push_back(at);
  }
  if (SoleReader(at) != product) return std::nullopt;
  found.push_back(product);
  nodes = found;
  return product;
}

BlockMatcher::Unit BlockMatcher::ReadUnit(NodeId conv) const {
  const Node& node = graph_.node(conv);
  Unit unit{
      .conv = conv, .last = conv, .attrs = node.attrs, .in = graph_.node(node.inputs[0]).shape.c, .out = node.shape.c};
  NodeId next = SoleReader(unit.last);
  if (next >= 0 && graph_.node(next).op == Op::kBatchNorm) {
    unit.norm = unit.last = next;
    next = SoleReader(unit.last);
  }
  if (next >= 0 && IsActivation(graph_.node(next).op)) {
    unit.act = unit.last = next;
    unit.activation = graph_.node(next).op;
    if (const auto product = ExcitedBy(unit.last, unit.excitation)) unit.last = *product;
  }
  return unit;
}

BlockMatcher::Branch BlockMatcher::Walk(NodeId first) const {
  Branch branch;
  NodeId next = first;
  constexpr size_t kMostUnits = 3;
  while (next >= 0 && graph_.node(next).op == Op::kConv && branch.units.size() < kMostUnits) {
    branch.units.push_back(ReadUnit(next));
    next = SoleReader(branch.units.back().last);
  }
  branch.end = next;
  return branch;
}

std::optional<BlockMatch> BlockMatcher::At(NodeId x) const {
  const std::vector<NodeId> readers = TrunkReaders(x);
  if (readers.size() == 1) return Plain(x, readers[0]);
  if (readers.size() == 2) return Residual(readers[0], readers[1]);
  return std::nullopt;
}

// Without a residual connection: the shortest run that ends in a linear pointwise convolution.
std::optional<BlockMatch> BlockMatcher::Plain(NodeId x, NodeId first) const {
  std::vector<Unit> units;
  for (const Unit& unit : Walk(first).units) {
    units.push_back(unit);
    if (units.size() < 2 || !unit.Linear()) continue;
    std::optional<BlockMatch> match = Classify(units, /*activated=*/false);
    if (match && match->stride == 1 && match->out_channels == graph_.node(x).shape.c) match->ours = false;
    return match;  // ours would add its input
  }
  return std::nullopt;
}

// Sorts what two readers of a block's input begin: the main branch, the projection beside it (none where the input
// itself is added), and the addition. No value where there is no such addition.
std::optional<BlockMatcher::Fork> BlockMatcher::ReadFork(NodeId a, NodeId b) const {
  if (graph_.node(a).op == Op::kAdd) std::swap(a, b);
  Fork fork{.main = Walk(a), .shortcut = {}, .add = b};
  if (graph_.node(b).op != Op::kAdd) {
    Branch other = Walk(b);
    if (fork.main.units.size() < other.units.size()) std::swap(fork.main, other);
    fork.shortcut = other.units;
    fork.add = other.end;
    const bool projects = fork.shortcut.size() == 1 && fork.shortcut[0].Linear() && fork.shortcut[0].attrs.kernel == 1;
    if (!projects) return std::nullopt;
  }
  const bool joins = fork.add >= 0 && fork.main.end == fork.add && graph_.node(fork.add).op == Op::kAdd;
  return joins ? std::optional(std::move(fork)) : std::nullopt;
}

std::optional<BlockMatch> BlockMatcher::Residual(NodeId a, NodeId b) const {
  const std::optional<Fork> fork = ReadFork(a, b);
  if (!fork) return std::nullopt;
  const NodeId behind = SoleReader(fork->add);
  const bool activated = behind >= 0 && IsActivation(graph_.node(behind).op);
  std::optional<BlockMatch> match;
  if (activated || fork->shortcut.empty())
    match = Classify(fork->main.units, activated);  // irb and fused project nothing
  if (!match) return std::nullopt;
  match->names[fork->add] = "add";
  match->last = fork->add;
  for (const Unit& unit : fork->shortcut) NameUnit(unit, "shortcut", match->names);
  if (!activated) return match;
  match->names[behind] = "act";
  match->last = behind;
  match->ours &= graph_.node(behind).op == Op::kRelu;
  return match;
}

}  // namespace hot
