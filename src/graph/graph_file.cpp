#include "graph/graph_file.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/read_json.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr int kMaxDepth = 8;          // ours have 4; deeper ones would recurse
constexpr size_t kMaxNodes = 10'000;  // names are compared pairwise
constexpr size_t kMaxName = 256;

constexpr Op kOps[] = {Op::kInput,  Op::kConv,    Op::kBatchNorm, Op::kRelu,          Op::kRelu6,     Op::kAdd,
                       Op::kConcat, Op::kMaxPool, Op::kAvgPool,   Op::kGlobalAvgPool, Op::kUpsample,  Op::kFlatten,
                       Op::kLinear, Op::kSigmoid, Op::kSoftmax,   Op::kHardSigmoid,   Op::kHardSwish, Op::kMul};

[[noreturn]] void Broken(const std::string& why) { throw Error(Code::kDataLoss, "", "is no graph: " + why); }

Op ParseOp(const Json& json) {
  const auto name = json.get<std::string>();
  const auto* found = std::ranges::find(kOps, name, OpName);
  if (found == std::end(kOps)) {
    throw Error(Code::kInvalidArgument, "", "unknown operation \"" + name.substr(0, kMaxName) + "\"",
                "use the version of hot that wrote it");
  }
  return *found;
}

// Names become those of tensors in other programs' files and of variables in generated code.
std::string ParseName(const Json& json) {
  constexpr const char* kUsual = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
  auto name = json.get<std::string>();
  if (name.empty() || name.size() > kMaxName || name.find_first_not_of(kUsual) != std::string::npos)
    Broken("a name is empty, longer than 256, or not of letters, digits and . _ - /");
  return name;
}

void AddAttributes(const Node& node, Json& json) {
  const Attrs& attrs = node.attrs;
  switch (node.op) {
    case Op::kInput:
      json["shape"] = {node.shape.c, node.shape.h, node.shape.w};
      break;
    case Op::kConv:
      json["out_channels"] = attrs.out_channels;
      json["kernel"] = attrs.kernel;
      json["stride"] = attrs.stride;
      json["groups"] = attrs.groups;
      json["pads"] = attrs.pads;
      json["bias"] = attrs.bias;
      break;
    case Op::kBatchNorm:
      json["eps"] = static_cast<double>(attrs.eps);
      break;
    case Op::kMaxPool:
    case Op::kAvgPool:
      json["kernel"] = attrs.kernel;
      json["stride"] = attrs.stride;
      json["pad"] = attrs.pads[0];
      break;
    case Op::kUpsample:
      json["factor"] = attrs.stride;
      break;
    case Op::kLinear:
      json["out_channels"] = attrs.out_channels;
      json["bias"] = attrs.bias;
      break;
    default:
      break;
  }
}

class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}

  Graph Read() {
    const Json& nodes = json_.at("nodes");
    if (!nodes.is_array() || nodes.size() > kMaxNodes)
      Broken("nodes: expected a list of at most " + std::to_string(kMaxNodes));
    const Json sections = json_.value("sections", Json::array());
    auto section = sections.begin();
    const auto begin_sections = [&] {
      for (; section != sections.end() && WholeNumber<int>(section->at("first")) == count_; ++section)
        builder_.BeginSection(ParseName(section->at("name")));
    };
    for (const Json& node : nodes) {
      begin_sections();
      AddNode(node);
      ++count_;
    }
    begin_sections();
    if (section != sections.end()) Broken("its sections are not in the order of its nodes");
    AddOutputs();
    return std::move(builder_).Build();
  }

 private:
  static int Attribute(const Json& node, const char* name) { return WholeNumber<int>(node.at(name)); }

  NodeId Known(const Json& json) const {
    const auto id = WholeNumber<NodeId>(json);
    if (id < 0 || id >= count_) Broken("a node reads node " + std::to_string(id) + ", which is not before it");
    return id;
  }

  // Of operations without attributes; 0: any number.
  static size_t InputCount(Op op) {
    if (op == Op::kConcat) return 0;
    return op == Op::kAdd || op == Op::kMul ? 2 : 1;
  }

  // As many inputs as `count`; 0: any number.
  std::vector<NodeId> Inputs(const Json& node, size_t count) const {
    std::vector<NodeId> inputs;
    for (const Json& input : node.at("inputs")) inputs.push_back(Known(input));
    if (count != 0 && inputs.size() != count)
      Broken("a node has " + std::to_string(inputs.size()) + " inputs instead of " + std::to_string(count));
    return inputs;
  }
  NodeId Input(const Json& node) const { return Inputs(node, 1)[0]; }

  void AddNode(const Json& node) {
    const std::string name = ParseName(node.at("name"));
    const Op op = ParseOp(node.at("op"));
    switch (op) {
      case Op::kInput:
        return AddInput(node, name);
      case Op::kConv:
        return AddConv(node, name);
      case Op::kBatchNorm:
        builder_.BatchNorm(name, Input(node), node.at("eps").get<float>());
        return;
      case Op::kMaxPool:
      case Op::kAvgPool:
        builder_.Pool(op, name, Input(node), Attribute(node, "kernel"), Attribute(node, "stride"),
                      Attribute(node, "pad"));
        return;
      case Op::kUpsample:
        builder_.Upsample(name, Input(node), Attribute(node, "factor"));
        return;
      case Op::kLinear:
        builder_.Linear(name, Input(node), Attribute(node, "out_channels"), node.at("bias").get<bool>());
        return;
      default:
        builder_.Join(op, name, Inputs(node, InputCount(op)));
    }
  }

  void AddInput(const Json& node, const std::string& name) {
    const Json& shape = node.at("shape");
    if (shape.size() != 3) Broken("the shape of an input has three sides");
    builder_.Input(
        name,
        {.c = WholeNumber<int>(shape.at(0)), .h = WholeNumber<int>(shape.at(1)), .w = WholeNumber<int>(shape.at(2))});
  }

  void AddConv(const Json& node, const std::string& name) {
    Attrs attrs{.out_channels = Attribute(node, "out_channels"),
                .kernel = Attribute(node, "kernel"),
                .stride = Attribute(node, "stride"),
                .groups = Attribute(node, "groups"),
                .bias = node.at("bias").get<bool>()};
    const Json& pads = node.at("pads");
    if (pads.size() != attrs.pads.size()) Broken("a convolution has four pads");
    std::ranges::transform(pads, attrs.pads.begin(), [](const Json& pad) { return WholeNumber<int>(pad); });
    builder_.Conv(name, Input(node), attrs);
  }

  void AddOutputs() {
    std::set<NodeId> outputs;
    for (const Json& output : json_.at("outputs")) {
      if (!outputs.insert(Known(output)).second) Broken("an output is named twice");
      builder_.Output(Known(output));
    }
  }

  const Json& json_;
  GraphBuilder builder_;
  NodeId count_ = 0;  // nodes read so far
};

Graph FromJson(std::string_view text) {
  const Json json = ParseShallow<Json>(text, kMaxDepth, [] { Broken("nested too deep"); });
  if (!json.is_object()) Broken("not an object");
  const auto version = WholeNumber<int64_t>(json.at("version"));
  if (version > kVersion) {
    throw Error(
        Code::kFailedPrecondition, "",
        "version " + std::to_string(version) + " is newer than this program reads (" + std::to_string(kVersion) + ")",
        "use the program that wrote it, or a newer one");
  }
  if (version < 1) Broken("no version of ours");
  return Reader(json).Read();
}

}  // namespace

std::string ToJson(const Graph& graph) {
  Json nodes = Json::array(), sections = Json::array();
  for (const Node& node : graph.nodes()) {
    Json json{{"op", OpName(node.op)}, {"name", node.name}};
    if (!node.inputs.empty()) json["inputs"] = node.inputs;
    AddAttributes(node, json);
    nodes.push_back(std::move(json));
  }
  for (const Section& section : graph.sections())
    sections.push_back({{"name", section.name}, {"first", section.first}});
  return Json{{"version", kVersion}, {"nodes", nodes}, {"outputs", graph.outputs()}, {"sections", sections}}.dump();
}

Graph ParseGraph(std::string_view json, const std::string& where) {
  try {
    return WithPlace(where, [&] { return FromJson(json); });
  } catch (const nlohmann::json::exception& error) {
    throw Error(Code::kDataLoss, where, std::string("is no graph: ") + error.what());
  }
}

Graph ReadGraph(const fs::path& file) { return ParseGraph(ReadFile(file), file.string()); }

}  // namespace hot
