#include "deploy/pytorch_writer.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/error.h"
#include "deploy/python_text.h"
#include "deploy/pytorch_source.h"

namespace hot {
namespace {

bool HasParameters(const Node& node) { return IsLayer(node.op) || node.op == Op::kBatchNorm; }

class Writer {
 public:
  explicit Writer(const Graph& graph) : graph_(graph), consumers_(graph.Consumers()) {
    for (NodeId id = 0; id < graph.size(); ++id) AddToTree(id);
  }

  // All classes, the network's last.
  std::string Classes() {
    Values values;
    for (NodeId input : graph_.inputs()) values[input] = PythonVariable(At(input).name);
    WriteClass("", values);
    std::string text;
    for (const std::string& written : classes_) text += "\n\n" + written;
    return text;
  }

 private:
  // Nodes below a path: [first, last] when they are all of those.
  struct Span {
    NodeId first = -1, last = -1;
    int count = 0;
    bool contiguous() const { return last - first + 1 == count; }
  };
  // What a container's forward() does in one statement: calls a module, or computes one node.
  struct Item {
    std::string path;
    Span span;
    bool is_node = false;  // one node alone, with or without parameters
  };
  using Values = std::map<NodeId, std::string>;  // node -> Python expression of its output

  const Node& At(NodeId id) const { return graph_.node(id); }

  void AddToTree(NodeId id) {
    const std::string& name = At(id).name;
    for (size_t dot = name.find('.');; dot = name.find('.', dot + 1)) {
      Span& span = tree_[name.substr(0, dot)];
      if (span.first < 0) span.first = id;
      span.last = id;
      ++span.count;
      if (dot == std::string::npos) break;
    }
    Span& all = tree_[""];
    all = {.first = 0, .last = id, .count = id + 1};
  }

  static std::string Child(const std::string& container, const std::string& name) {
    const size_t begin = container.empty() ? 0 : container.size() + 1;
    return name.substr(0, name.find('.', begin));
  }

  // Statements of `container`, in order. What is below a child but not in one run belongs to the container itself.
  std::vector<Item> ItemsOf(const std::string& container) const {
    const Span span = tree_.at(container);
    std::vector<Item> items;
    for (NodeId id = span.first; id <= span.last;) {
      const std::string& name = At(id).name;
      std::string path = name == container ? name : Child(container, name);
      while (path != name && !tree_.at(path).contiguous()) path = Child(path, name);
      const bool alone = tree_.at(path).count == 1 || !tree_.at(path).contiguous();
      const bool is_node = name == container || (path == name && alone);
      const Span part = is_node ? Span{id, id, 1} : tree_.at(path);
      if (At(id).op != Op::kInput) items.push_back({.path = path, .span = part, .is_node = is_node});
      id = part.last + 1;
    }
    return items;
  }

  std::vector<NodeId> Inputs(const Span& span) const {
    std::vector<NodeId> inputs;
    for (NodeId id = span.first; id <= span.last; ++id) {
      for (NodeId input : At(id).inputs) {
        const bool known = std::ranges::find(inputs, input) != inputs.end();
        if (input < span.first && !known) inputs.push_back(input);
      }
    }
    return inputs;
  }

  std::vector<NodeId> Outputs(const Span& span) const {
    std::vector<NodeId> outputs;
    for (NodeId id = span.first; id <= span.last; ++id) {
      const auto& readers = consumers_[static_cast<size_t>(id)];
      const bool outside = std::ranges::any_of(readers, [&](NodeId reader) { return reader > span.last; });
      if (outside || std::ranges::count(graph_.outputs(), id) > 0) outputs.push_back(id);
    }
    return outputs;
  }

  std::string ConvArguments(const Node& conv) const {
    const Attrs& a = conv.attrs;
    const auto& [top, left, bottom, right] = a.pads;
    std::string text = std::to_string(At(conv.inputs[0]).shape.c) + ", " + std::to_string(conv.shape.c);
    if (a.kernel != 1) text += ", " + std::to_string(a.kernel);
    if (a.stride != 1) text += ", stride=" + std::to_string(a.stride);
    if (a.groups != 1) text += ", groups=" + std::to_string(a.groups);
    const std::vector<std::string> pads{std::to_string(left), std::to_string(right), std::to_string(top),
                                        std::to_string(bottom)};
    const bool even = top == left && top == bottom && top == right;
    if (!even) text += ", pads=(" + CommaSeparated(pads) + ")";
    if (even && top != 0) text += ", pads=" + pads[0];
    return text;
  }

  std::string NodeModule(const Node& node) const {
    const std::string channels = std::to_string(node.shape.c);
    const std::string bias = node.attrs.bias ? ", bias=True" : "";
    if (node.op == Op::kConv) return "Conv2d(" + ConvArguments(node) + bias + ")";
    if (node.op == Op::kBatchNorm) return "nn.BatchNorm2d(" + channels + ", eps=" + PythonNumber(node.attrs.eps) + ")";
    return "Linear(" + std::to_string(At(node.inputs[0]).shape.c) + ", " + channels +
           (node.attrs.bias ? ")" : ", bias=False)");
  }

  bool IsConvBn(const std::string& path, const Span& span) const {
    if (span.count < 2 || span.count > 3 || !IsChain(ItemsOf(path))) return false;
    const Node &conv = At(span.first), &norm = At(span.first + 1), &last = At(span.last);
    if (conv.name != path + ".conv" || norm.name != path + ".bn" || conv.attrs.bias) return false;
    const bool clamps = last.op == Op::kRelu || last.op == Op::kRelu6;
    return span.count == 2 || (last.name == path + ".act" && clamps);
  }

  // GraphBuilder::ConvBn, which nearly everything is made of.
  std::optional<std::string> ConvBnModule(const std::string& path) const {
    const Span& span = tree_.at(path);
    if (!IsConvBn(path, span)) return std::nullopt;
    const Node &conv = At(span.first), &norm = At(span.first + 1), &last = At(span.last);
    std::string text = "ConvBn(" + ConvArguments(conv);
    if (span.count == 3) text += last.op == Op::kRelu6 ? ", act=nn.ReLU6" : ", act=nn.ReLU";
    if (norm.attrs.eps != Attrs().eps) text += ", eps=" + PythonNumber(norm.attrs.eps);
    return text + ")";
  }

  // Each reads the output of the one before and nothing else, and nobody else reads that.
  bool IsChain(const std::vector<Item>& items) const {
    for (size_t i = 0; i < items.size(); ++i) {
      const auto inputs = Inputs(items[i].span), outputs = Outputs(items[i].span);
      if (inputs.size() != 1 || outputs.size() != 1) return false;
      const bool last = i + 1 == items.size();
      if (!last && (Inputs(items[i + 1].span) != outputs || !IsReadIn(items[i + 1].span, outputs[0]))) return false;
    }
    return !items.empty();
  }

  // Nobody outside the span reads the node.
  bool IsReadIn(const Span& span, NodeId id) const {
    const auto within = [&](NodeId reader) { return span.first <= reader && reader <= span.last; };
    return std::ranges::all_of(consumers_[static_cast<size_t>(id)], within) &&
           std::ranges::count(graph_.outputs(), id) == 0;
  }

  bool AreModules(const std::vector<Item>& items) const {
    return std::ranges::all_of(items,
                               [&](const Item& item) { return !item.is_node || HasParameters(At(item.span.first)); });
  }

  // Items 0, 1, 2, ... run one behind the other.
  bool IsSequence(const std::string& path, const std::vector<Item>& items) const {
    for (size_t i = 0; i < items.size(); ++i) {
      if (items[i].path != path + "." + std::to_string(i)) return false;
    }
    return AreModules(items) && IsChain(items);
  }

  // A chain of modules and, perhaps, an addition of its input at the end. Children must be direct ones.
  bool IsBlock(const std::string& path, std::vector<Item> items, bool& residual) const {
    residual = items.size() > 1 && items.back().is_node && At(items.back().span.first).op == Op::kAdd;
    if (residual) {
      std::vector<NodeId> summands = At(items.back().span.first).inputs;
      items.pop_back();
      const std::vector<NodeId> expected{Inputs(items.front().span).at(0), Outputs(items.back().span).at(0)};
      if (summands != expected) return false;
    }
    for (const Item& item : items) {
      const std::string name = LastPathComponent(item.path);
      if (item.path != path + "." + name || IsAsciiDigit(name[0])) return false;
    }
    return AreModules(items) && IsChain(items);
  }

  // "head.cls0.depthwise" before the convolution "head.cls0".
  bool EndsWithOwnNode(const std::string& path, std::vector<Item> items) const {
    if (items.size() < 2 || items.back().path != path || At(items.back().span.first).op != Op::kConv) return false;
    return AreModules(items) && IsChain(items);
  }

  // A line each; the name only where something stands `behind` it.
  std::string List(const std::vector<Item>& items, int depth, const std::string& before, const std::string& behind,
                   const Values& values) {
    std::string text;
    for (const Item& item : items) {
      const std::string name = behind.empty() ? "" : before + LastPathComponent(item.path) + behind;
      text += Indented(depth + 1) + name + Module(item, depth + 1, values) + ",\n";
    }
    return text;
  }

  // Python expression that makes the module of an item.
  std::string Module(const Item& item, int depth, const Values& values) {
    if (item.is_node) return NodeModule(At(item.span.first));
    const bool simple = Inputs(item.span).size() == 1 && Outputs(item.span).size() == 1;
    if (simple) {
      if (const auto conv = ConvBnModule(item.path)) return *conv;
      std::vector<Item> items = ItemsOf(item.path);
      bool residual = false;
      if (IsSequence(item.path, items)) {
        return "nn.Sequential(\n" + List(items, depth, "", "", values) + Indented(depth) + ")";
      }
      if (IsBlock(item.path, items, residual)) return ChainModule(std::move(items), residual, depth, values);
      if (EndsWithOwnNode(item.path, items)) return ConvAfterModule(std::move(items), depth, values);
    }
    WriteClass(item.path, values);
    return PythonClassName(item.path) + "()";
  }

  std::string ChainModule(std::vector<Item> items, bool residual, int depth, const Values& values) {
    if (residual) items.pop_back();
    const std::string last = residual ? Indented(depth + 1) + "residual=True,\n" : "";
    return "Chain(\n" + List(items, depth, "", "=", values) + last + Indented(depth) + ")";
  }

  std::string ConvAfterModule(std::vector<Item> items, int depth, const Values& values) {
    const Node& own = At(items.back().span.first);
    items.pop_back();
    const std::string inner = Indented(depth + 1);
    return "ConvAfter(\n" + inner + "{\n" + List(items, depth + 1, "\"", "\": ", values) + inner + "},\n" + inner +
           ConvArguments(own) + (own.attrs.bias ? ", bias=True,\n" : ",\n") + Indented(depth) + ")";
  }

  std::string Compute(const Node& node, const std::vector<std::string>& x) const {
    const Attrs& a = node.attrs;
    const std::string window =
        x[0] + ", " + std::to_string(a.kernel) + ", " + std::to_string(a.stride) + ", " + std::to_string(a.pads[0]);
    switch (node.op) {
      case Op::kRelu:
        return "F.relu(" + x[0] + ")";
      case Op::kRelu6:
        return "F.relu6(" + x[0] + ")";
      case Op::kAdd:
        return x[0] + " + " + x[1];
      case Op::kMul:
        return x[0] + " * " + x[1];
      case Op::kConcat:
        return "torch.cat((" + CommaSeparated(x) + ",), 1)";
      case Op::kMaxPool:
        return "F.max_pool2d(" + window + ")";
      case Op::kAvgPool:
        return "F.avg_pool2d(" + window + ", count_include_pad=False)";
      default:
        return ComputeMore(node, x[0]);
    }
  }

  static std::string ComputeMore(const Node& node, const std::string& x) {
    switch (node.op) {
      case Op::kGlobalAvgPool:
        return x + ".mean((2, 3), keepdim=True)";
      case Op::kUpsample:
        return "F.interpolate(" + x + ", scale_factor=" + std::to_string(node.attrs.stride) + ", mode=\"nearest\")";
      case Op::kFlatten:
        return x + ".flatten(1)[:, :, None, None]";
      case Op::kSigmoid:
        return "torch.sigmoid(" + x + ")";
      case Op::kHardSigmoid:
        return "F.hardsigmoid(" + x + ")";
      case Op::kHardSwish:
        return "F.hardswish(" + x + ")";
      case Op::kSoftmax:
        return "torch.softmax(" + x + ", 1)";
      default:
        throw Error(Code::kUnimplemented, "node " + node.name,
                    "PyTorch writer: unknown op " + std::string(OpName(node.op)));
    }
  }

  // Modules below a path that is no module itself are attributes of plain ones: self.a = nn.Module(); self.a.b = ...
  static void AddHolders(const std::string& relative, std::set<std::string>& holders, std::string& text) {
    for (size_t dot = relative.find('.'); dot != std::string::npos; dot = relative.find('.', dot + 1)) {
      const std::string holder = relative.substr(0, dot);
      if (holders.insert(holder).second) text += Indented(2) + PythonSetSubmodule(holder, "nn.Module()") + "\n";
    }
  }

  // One statement of forward(); names the item's outputs in `values`.
  std::string Statement(const Item& item, const std::string& relative, Values& values) const {
    std::vector<std::string> arguments, results;
    for (NodeId input : item.is_node ? At(item.span.first).inputs : Inputs(item.span)) {
      arguments.push_back(values.at(input));
    }
    const std::vector<NodeId> outputs = Outputs(item.span);
    for (NodeId output : outputs) {
      const std::string& name = At(output).name;
      const bool below = outputs.size() > 1 && name.size() > item.path.size();
      const std::string whole = relative.empty() ? LastPathComponent(item.path) : relative;
      results.push_back(PythonVariable(below ? name.substr(item.path.size() + 1) : whole));
      values[output] = results.back();
    }
    const bool computed = item.is_node && !HasParameters(At(item.span.first));
    const std::string call = relative.empty() ? "super().forward" : PythonSubmodule(relative);
    const std::string value =
        computed ? Compute(At(item.span.first), arguments) : call + "(" + CommaSeparated(arguments) + ")";
    return Indented(2) + CommaSeparated(results) + " = " + value + "\n";
  }

  // Names of a class's inputs in its forward(): those that they have outside, or x.
  std::vector<std::string> NameInputs(const std::string& path, Values& values) const {
    const std::vector<NodeId> inputs = path.empty() ? graph_.inputs() : Inputs(tree_.at(path));
    std::vector<std::string> names;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto outside = values.find(inputs[i]);
      const bool anonymous = !path.empty() && (inputs.size() == 1 || outside == values.end());
      names.push_back(anonymous ? "x" + (i > 0 ? std::to_string(i) : "") : outside->second);
      values[inputs[i]] = names.back();
    }
    return names;
  }

  // What forward() returns: the network's outputs as a list, a part's as they are.
  std::string Result(const std::string& path, const Values& values) const {
    std::vector<std::string> results;
    for (NodeId output : path.empty() ? graph_.outputs() : Outputs(tree_.at(path)))
      results.push_back(values.at(output));
    return path.empty() || results.size() > 1 ? "[" + CommaSeparated(results) + "]" : results.at(0);
  }

  void WriteClass(const std::string& path, Values values) {
    const std::string inputs = CommaSeparated(NameInputs(path, values));
    std::string layers, statements, base = "nn.Module", arguments;
    std::set<std::string> holders;
    for (const Item& item : ItemsOf(path)) {
      const size_t begin = path.empty() ? 0 : std::min(item.path.size(), path.size() + 1);
      const std::string relative = item.path.substr(begin);
      const bool is_module = !item.is_node || HasParameters(At(item.span.first));
      if (is_module && relative.empty()) {  // the class's own node is its base
        const std::string made = NodeModule(At(item.span.first));
        base = made.substr(0, made.find('('));
        arguments = made.substr(base.size() + 1, made.size() - base.size() - 2);
      } else if (is_module) {
        AddHolders(relative, holders, layers);
        layers += Indented(2) + PythonSetSubmodule(relative, Module(item, 2, values)) + "\n";
      }
      statements += Statement(item, relative, values);
    }
    classes_.push_back("class " + PythonClassName(path) + "(" + base + "):\n" + Indented(1) + "def __init__(self):\n" +
                       Indented(2) + "super().__init__(" + arguments + ")\n" + layers + "\n" + Indented(1) +
                       "def forward(self, " + inputs + "):\n" + statements + Indented(2) + "return " +
                       Result(path, values) + "\n");
  }

  const Graph& graph_;
  const std::vector<std::vector<NodeId>> consumers_;
  std::map<std::string, Span> tree_;
  std::vector<std::string> classes_;
};

}  // namespace

std::string WritePytorch(const Graph& graph, const PytorchOptions& options) {
  using Json = nlohmann::ordered_json;
  const Preprocessing& p = options.preprocessing;
  const Shape& input = graph.node(graph.inputs().at(0)).shape;
  Json outputs = Json::array();
  for (NodeId id : graph.outputs()) outputs.push_back(graph.node(id).name);
  const auto triple = [](const float(&v)[3]) {
    return "(" + CommaSeparated({PythonNumber(v[0]), PythonNumber(v[1]), PythonNumber(v[2])}) + ")";
  };
  std::string text = "\"\"\"" + options.title + "\n" + std::string(kPytorchHead);
  text +=
      "INPUT = (" + CommaSeparated({std::to_string(input.c), std::to_string(input.h), std::to_string(input.w)}) + ")\n";
  text += "MEAN, STDDEV = " + triple(p.mean) + ", " + triple(p.stddev) + "\n";
  text += "CLASSES = " + Json(options.classes).dump() + "\n";
  text += "OUTPUTS = " + outputs.dump() + "\n";
  return text + std::string(kPytorchLayers) + Writer(graph).Classes() + std::string(kPytorchTail);
}

}  // namespace hot
