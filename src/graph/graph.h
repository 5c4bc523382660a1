// The one representation of a network: an immutable list of primitive nodes in topological order. Blocks and tasks
// build it with GraphBuilder; everything else (costs, LibTorch module, ONNX writer, quantizer, table key) only reads
// it. Layout is NCHW with N = 1 in shapes; readers may run larger batches. Thread rule: immutable, share freely.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hot {

enum class Op {
  kInput,
  kConv,       // square kernel, groups, optional bias
  kBatchNorm,  // eps 1e-5 unless attrs.eps says otherwise
  kRelu,
  kRelu6,
  kAdd,     // two inputs of equal shape
  kConcat,  // along channels
  kMaxPool,
  kAvgPool,        // padding not counted
  kGlobalAvgPool,  // -> 1x1
  kUpsample,       // integer factor attrs.stride; nearest: each cell becomes factor x factor (docs/adr)
  kFlatten,        // -> [1, c*h*w, 1, 1]
  kLinear,         // on 1x1 maps: attrs.out_channels
  kSigmoid,
  kSoftmax,      // along channels
  kHardSigmoid,  // min(max(x / 6 + 1/2, 0), 1) (Howard et al., "Searching for MobileNetV3", ICCV 2019, section 5.2)
  kHardSwish,    // x times its hard sigmoid
  kMul,          // two inputs; the second is of equal shape, or 1x1: one factor a channel
};

std::string_view OpName(Op op);
// Convolution or linear layer: what multiplies with weights.
constexpr bool IsLayer(Op op) { return op == Op::kConv || op == Op::kLinear; }

using NodeId = int32_t;

struct Shape {
  int c = 0, h = 0, w = 0;
  int64_t elements() const { return static_cast<int64_t>(c) * h * w; }
  bool operator==(const Shape&) const = default;
};

struct Attrs {
  int out_channels = 0;                 // conv, linear
  int kernel = 1;                       // conv, pools
  int stride = 1;                       // conv, pools; factor of upsample
  int groups = 1;                       // conv
  std::array<int, 4> pads{0, 0, 0, 0};  // top, left, bottom, right
  bool bias = false;                    // conv, linear
  float eps = 1e-5f;                    // batch norm
  bool operator==(const Attrs&) const = default;
};

struct Node {
  Op op;
  std::string name;  // unique in its graph; parameter names derive from it
  std::vector<NodeId> inputs;
  Attrs attrs;
  Shape shape;  // of the output
};

// A named run of nodes [first, last): "stem", "slot1", "slot2", .., "tail" (not all have one), "head".
struct Section {
  std::string name;
  NodeId first = 0, last = 0;
};

class Graph {
 public:
  const std::vector<Node>& nodes() const { return nodes_; }
  const Node& node(NodeId id) const { return nodes_[static_cast<size_t>(id)]; }
  int size() const { return static_cast<int>(nodes_.size()); }
  const std::vector<NodeId>& inputs() const { return inputs_; }
  const std::vector<NodeId>& outputs() const { return outputs_; }
  const std::vector<Section>& sections() const { return sections_; }
  // Readers of each node's output, in topological order.
  std::vector<std::vector<NodeId>> Consumers() const;

 private:
  friend class GraphBuilder;
  std::vector<Node> nodes_;
  std::vector<NodeId> inputs_, outputs_;
  std::vector<Section> sections_;
};

enum class Padding {
  kSymmetric,  // kernel / 2 on every side: PyTorch
  kSame,       // TensorFlow's SAME: what a stride leaves over goes to the bottom and right
};

// What differs between frameworks that train the same network; the weights of one need the style of that one.
struct GraphStyle {
  Padding padding = Padding::kSymmetric;
  double bn_eps = 1e-5;
  bool operator==(const GraphStyle&) const = default;
};

std::string PaddingName(Padding padding);  // "symmetric", "same"
// Throws Error(kInvalidArgument).
Padding ParsePadding(std::string_view name);

// Appends nodes and infers their shapes. Throws Error(kInvalidArgument) naming the node when shapes don't fit
// or a name is used twice.
class GraphBuilder {
 public:
  explicit GraphBuilder(GraphStyle style = {}) : style_(style) {}

  NodeId Input(const std::string& name, Shape shape);
  NodeId Conv(const std::string& name, NodeId x, const Attrs& attrs);
  NodeId BatchNorm(const std::string& name, NodeId x, float eps = 1e-5f);
  // Relu, Relu6, Sigmoid, HardSigmoid, HardSwish, Softmax, GlobalAvgPool, Flatten.
  NodeId Unary(Op op, const std::string& name, NodeId x);
  NodeId Add(const std::string& name, NodeId a, NodeId b);
  NodeId Mul(const std::string& name, NodeId x, NodeId factor);
  NodeId Concat(const std::string& name, const std::vector<NodeId>& inputs);
  // MaxPool, AvgPool.
  NodeId Pool(Op op, const std::string& name, NodeId x, int kernel, int stride, int pad);
  NodeId Upsample(const std::string& name, NodeId x, int factor);
  NodeId Linear(const std::string& name, NodeId x, int out_channels, bool bias = true);

  // conv ("NAME.conv", no bias, padded so that the output's side is ceil(side / stride)) + batch norm ("NAME.bn") and,
  // when `activation` is kRelu or kRelu6, that ("NAME.act"); pass Op::kInput for a linear output. Padding and eps are
  // the style's; the kernel is odd.
  NodeId ConvBn(const std::string& name, NodeId x, int out_channels, int kernel, int stride, int groups, Op activation);

  // Operations without attributes: Add, Mul, Concat and those of Unary.
  NodeId Join(Op op, const std::string& name, const std::vector<NodeId>& inputs);
  // A node like one of another graph, here called `name`, that reads `inputs`.
  NodeId Copy(const Node& node, const std::string& name, const std::vector<NodeId>& inputs);

  void Output(NodeId id);
  // Nodes added from here on belong to section `name`.
  void BeginSection(const std::string& name);

  const Node& node(NodeId id) const { return graph_.node(id); }
  const Shape& shape(NodeId id) const { return graph_.node(id).shape; }
  Graph Build() &&;

 private:
  NodeId Append(Node node);
  GraphStyle style_;
  Graph graph_;
};

// Copies the nodes of `part`, which has one input, behind `x`, under "PREFIX." and their own names. Returns its first
// output.
NodeId AppendGraph(GraphBuilder& builder, NodeId x, const Graph& part, const std::string& prefix);

// Name and shape of every parameter (trainable and running statistics), in node order.
struct Parameter {
  std::string name;
  std::vector<int64_t> shape;
  bool trainable;  // false: batch norm running statistics
};
std::vector<Parameter> Parameters(const Graph& graph);

}  // namespace hot
