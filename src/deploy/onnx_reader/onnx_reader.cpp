#include "deploy/onnx_reader/onnx_reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "deploy/onnx_reader/layer_reader.h"
#include "deploy/onnx_reader/model_file.h"

namespace hot {
namespace {

constexpr size_t kShownTensors = 24;
constexpr int64_t kMaxSide = 1 << 16;

class Reader {
 public:
  Reader(ModelFile& file, const OnnxReadOptions& options) : file_(file), layers_(file) {
    for (const std::string& name : options.outputs) outputs_.push_back(name);
    if (outputs_.empty()) {
      for (const onnx::ValueInfoProto& output : file.graph().output()) outputs_.push_back(output.name());
    }
    if (outputs_.empty()) throw Error(Code::kInvalidArgument, file.where(), "has no output");
    const onnx::ValueInfoProto& input = Picture();
    input_ = input.name();
    layers_.AddInput(input_, ShapeOf(input, options.input));
  }

  OnnxNetwork Read() {
    const std::vector<const onnx::NodeProto*> needed = NeededNodes();
    for (const onnx::NodeProto* node : needed) AddNode(*node);
    std::set<NodeId> ends;
    for (const std::string& name : outputs_) {
      const OnnxValue* value = layers_.FindValue(name);
      if (value == nullptr) RefuseOutput(name);
      if (!ends.insert(value->node).second || layers_.builder().node(value->node).op == Op::kInput)
        throw Error(Code::kInvalidArgument, file_.where(), "output " + name + " is the input or another output");
      layers_.builder().Output(value->node);
    }
    OnnxNetwork result{.input = input_, .outputs = outputs_, .producer = file_.Producer(), .opset = file_.opset()};
    result.network.graph = std::move(layers_.builder()).Build();
    result.network.weights = std::move(layers_).TakeWeights();
    CheckWeights(result.network.graph, result.network.weights, file_.where());
    return result;
  }

 private:
  // The one input that is no initializer.
  const onnx::ValueInfoProto& Picture() {
    std::vector<const onnx::ValueInfoProto*> inputs;
    std::vector<std::string> names;
    for (const onnx::ValueInfoProto& input : file_.graph().input()) {
      if (file_.FindConstant(input.name()) != nullptr) continue;
      inputs.push_back(&input);
      names.push_back(input.name());
    }
    if (inputs.size() == 1) return *inputs[0];
    throw Error(Code::kInvalidArgument, file_.where(),
                "has " + std::to_string(inputs.size()) + " inputs" + (names.empty() ? "" : ": " + JoinNames(names)),
                "a network of one picture is read");
  }

  Shape ShapeOf(const onnx::ValueInfoProto& input, const std::optional<Shape>& given) const {
    const onnx::TensorShapeProto& shape = input.type().tensor_type().shape();
    const std::string where = file_.where() + ": input " + input.name();
    if (shape.dim_size() != 4) {
      throw Error(Code::kInvalidArgument, where,
                  "has " + std::to_string(shape.dim_size()) + " sides; a picture has [batch, channels, height, width]");
    }
    const Shape rest = given.value_or(Shape{});
    const std::array<int, 3> fallback{rest.c, rest.h, rest.w};
    std::array<int, 3> sides{};
    for (int i = 0; i < 3; ++i) {
      const onnx::TensorShapeProto::Dimension& side = shape.dim(i + 1);
      const int64_t stated = side.dim_value(), wanted = fallback[static_cast<size_t>(i)];
      if (stated > 0 && wanted > 0 && stated != wanted)
        throw Error(Code::kInvalidArgument, where, "is " + std::to_string(stated) + ", not " + std::to_string(wanted));
      const int64_t value = stated > 0 ? stated : wanted;
      if (value < 1) {
        throw Error(Code::kInvalidArgument, where, "its size is open (" + side.dim_param() + ")",
                    "--input 3,224,224 sets channels, height and width");
      }
      sides[static_cast<size_t>(i)] = static_cast<int>(std::min(value, kMaxSide + 1));
    }
    return {.c = sides[0], .h = sides[1], .w = sides[2]};
  }

  // What the outputs depend on, in the file's order.
  std::vector<const onnx::NodeProto*> NeededNodes() const {
    std::set<std::string> wanted(outputs_.begin(), outputs_.end());
    std::vector<const onnx::NodeProto*> needed;
    const auto& nodes = file_.graph().node();
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
      const auto is_wanted = [&](const std::string& output) { return wanted.contains(output); };
      if (std::none_of(node->output().begin(), node->output().end(), is_wanted)) continue;
      needed.push_back(&*node);
      wanted.insert(node->input().begin(), node->input().end());
    }
    std::ranges::reverse(needed);
    return needed;
  }

  // A node that can't be read, or reads what can't, is passed over, so that the message can say how far the network can
  // be read.
  void AddNode(const onnx::NodeProto& node) {
    for (const std::string& input : node.input()) {
      if (const auto reason = unread_.find(input); reason != unread_.end()) return MarkUnread(node, reason->second);
    }
    try {
      layers_.Add(node);
    } catch (const Error& error) {
      if (error.where() != file_.where())  // a node of the graph that does not fit
        throw Error(error.code(), file_.where(), error.where() + ": " + error.message(), error.hint());
      if (error.code() != Code::kUnimplemented) throw;
      MarkUnread(node, error.where() + ": " + error.message());
    }
  }

  void MarkUnread(const onnx::NodeProto& node, const std::string& reason) {
    for (const std::string& output : node.output()) unread_.emplace(output, reason);
    for (const std::string& input : node.input()) {
      const OnnxValue* value = layers_.FindValue(input);
      const bool known = value != nullptr && layers_.builder().node(value->node).op != Op::kInput;
      if (known && std::ranges::count(frontier_, input) == 0) frontier_.push_back(input);
    }
  }

  [[noreturn]] void RefuseOutput(const std::string& name) const {
    const auto reason = unread_.find(name);
    if (reason == unread_.end())
      throw Error(Code::kInvalidArgument, file_.where(), "has no tensor " + name + " that is computed from its input");
    std::string names;
    for (const std::string& tensor : frontier_) names += (names.empty() ? "" : ",") + tensor;
    std::string hint = "other operations are not imported";
    if (!frontier_.empty() && frontier_.size() <= kShownTensors)
      hint = "--outputs " + names + " reads all that is before it";
    const std::string prefix = file_.where() + ": ";
    throw Error(Code::kUnimplemented, file_.where(), reason->second.substr(prefix.size()), hint);
  }

  ModelFile& file_;
  LayerReader layers_;
  std::string input_;
  std::vector<std::string> outputs_, frontier_;
  std::map<std::string, std::string> unread_;  // tensor -> why
};

}  // namespace

OnnxNetwork ParseOnnx(std::string_view bytes, const fs::path& folder, const std::string& where,
                      const OnnxReadOptions& options) {
  ModelFile file(bytes, folder, where);
  return Reader(file, options).Read();
}

OnnxNetwork ReadOnnx(const fs::path& file, const OnnxReadOptions& options) {
  return ParseOnnx(ReadFile(file), file.parent_path(), file.string(), options);
}

}  // namespace hot
