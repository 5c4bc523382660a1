// Layers and activations that work on channels or on each number.
#include <algorithm>
#include <cmath>
#include <limits>

#include "deploy/onnx_reader/constant_nodes.h"
#include "deploy/onnx_reader/layer_reader.h"

namespace hot {
namespace {

bool IsNear(float value, double expected) { return std::abs(value - expected) < 1e-4; }

// The limits of a Clip that is missing are float's.
float LimitOf(const OnnxConstant* constant, float fallback) {
  return constant == nullptr || constant->values.size() != 1 ? fallback : constant->values[0];
}

}  // namespace

void LayerReader::AddBatchNorm(const OnnxNode& node) {
  const OnnxValue x = Input(node, 0);
  const int channels = ShapeOf(x).c;
  if (IntAttribute(node, "training_mode", 0) != 0) Refuse(node, "is in training mode");
  for (int part = 1; part <= 4; ++part) {
    if (NeededConstant(node, part).values.size() != static_cast<size_t>(channels))
      Refuse(node, "its parameters are for other channels than it reads");
  }
  const std::string name = UniqueName(node);
  SetOutput(node, builder_.BatchNorm(name, x.node, FloatAttribute(node, "epsilon", 1e-5f)), x.rank);
  int part = 1;
  for (const char* parameter : {".weight", ".bias", ".running_mean", ".running_var"})
    Store(name + parameter, {channels}, NeededConstant(node, part++).values);
}

void LayerReader::AddLinear(const OnnxNode& node, const OnnxConstant& matrix, bool rows_are_outputs,
                            const OnnxConstant* bias) {
  const OnnxValue x = Input(node, 0);
  RefuseUnless(x.rank == 2 && matrix.shape.size() == 2 && !matrix.is_integer, node, "is no linear layer on a vector");
  const OnnxConstant rows = rows_are_outputs ? matrix : TransposeMatrix(matrix);
  const int64_t outputs = rows.shape[0];
  RefuseUnless(rows.shape[1] == ShapeOf(x).c, node, "its weights are for other channels than it reads");
  const std::string name = UniqueName(node);
  SetOutput(node, builder_.Linear(name, x.node, static_cast<int>(outputs), bias != nullptr), 2);
  Store(name + ".weight", rows.shape, rows.values);
  if (bias == nullptr) return;
  RefuseUnless(std::ssize(bias->values) == outputs, node, "its bias has another size than its output");
  Store(name + ".bias", {outputs}, bias->values);
}

void LayerReader::AddGemm(const OnnxNode& node) {
  const bool plain = FloatAttribute(node, "alpha", 1) == 1 && FloatAttribute(node, "beta", 1) == 1;
  if (!plain || IntAttribute(node, "transA", 0) != 0) Refuse(node, "is no plain linear layer");
  AddLinear(node, NeededConstant(node, 1), IntAttribute(node, "transB", 0) != 0, ConstantInput(node, 2));
}

// With the addition behind it that is its bias.
void LayerReader::AddMatMul(const OnnxNode& node) {
  const OnnxConstant& matrix = NeededConstant(node, 1);
  const OnnxNode* sum = SoleReader(node.output(0));
  const OnnxConstant* bias = nullptr;
  if (sum != nullptr && sum->op_type() == "Add" && sum->input_size() == 2 && sum->output_size() == 1)
    bias = file_.FindConstant(sum->input(sum->input(0) == node.output(0) ? 1 : 0));
  AddLinear(node, matrix, /*rows_are_outputs=*/false, bias);
  if (bias == nullptr) return;
  SetOutput(*sum, FindValue(node.output(0))->node, 2);
  done_.insert(sum->output(0));
}

void LayerReader::AddSum(const OnnxNode& node) {
  const OnnxValue a = Input(node, 0), b = Input(node, 1);
  if (ShapeOf(a) != ShapeOf(b)) Refuse(node, "adds maps of different shapes");
  SetOutput(node, builder_.Add(UniqueName(node), a.node, b.node), a.rank);
}

void LayerReader::AddProduct(const OnnxNode& node) {
  OnnxValue x = Input(node, 0), factor = Input(node, 1);
  const auto is_factor = [](const Shape& shape) { return shape.h == 1 && shape.w == 1; };
  if (is_factor(ShapeOf(x)) && !is_factor(ShapeOf(factor))) std::swap(x, factor);
  const Shape &in = ShapeOf(x), &by = ShapeOf(factor);
  if (by != in && !(is_factor(by) && by.c == in.c)) Refuse(node, "multiplies maps of different shapes");
  SetOutput(node, builder_.Mul(UniqueName(node), x.node, factor.node), x.rank);
}

void LayerReader::AddConcat(const OnnxNode& node) {
  std::vector<NodeId> inputs;
  const OnnxValue first = Input(node, 0);
  const int64_t axis = IntAttribute(node, "axis", 0);
  if (axis != 1 && axis != 1 - first.rank) Refuse(node, "does not concatenate channels");
  for (int i = 0; i < node.input_size(); ++i) {
    const OnnxValue& x = Input(node, i);
    if (x.rank != first.rank || ShapeOf(x).h != ShapeOf(first).h || ShapeOf(x).w != ShapeOf(first).w)
      Refuse(node, "concatenates maps of different sizes");
    inputs.push_back(x.node);
  }
  SetOutput(node, builder_.Concat(UniqueName(node), inputs), first.rank);
}

void LayerReader::AddClip(const OnnxNode& node) {
  const OnnxValue x = Input(node, 0);
  constexpr float kMost = std::numeric_limits<float>::max();
  const float low = LimitOf(ConstantInput(node, 1), FloatAttribute(node, "min", -kMost));
  const float high = LimitOf(ConstantInput(node, 2), FloatAttribute(node, "max", kMost));
  const bool open = high >= kMost;
  if (low != 0 || !(open || high == 6))
    Refuse(node, "clips to " + std::to_string(low) + " to " + std::to_string(high) + "; what is read is 0 to 6");
  SetOutput(node, builder_.Unary(open ? Op::kRelu : Op::kRelu6, UniqueName(node), x.node), x.rank);
}

// Where its only reader multiplies it with what it reads, both are one hard swish.
void LayerReader::AddHardSigmoid(const OnnxNode& node) {
  const OnnxValue x = Input(node, 0);
  const bool known =
      IsNear(FloatAttribute(node, "alpha", 0.2f), 1.0 / 6) && IsNear(FloatAttribute(node, "beta", 0.5f), 0.5);
  if (!known) Refuse(node, "has another slope than 1/6");
  const OnnxNode* product = SoleReader(node.output(0));
  const bool swish = product != nullptr && product->op_type() == "Mul" && product->input_size() == 2 &&
                     product->output_size() == 1 &&
                     (product->input(0) == node.input(0) || product->input(1) == node.input(0));
  if (!swish) return SetOutput(node, builder_.Unary(Op::kHardSigmoid, UniqueName(node), x.node), x.rank);
  SetOutput(*product, builder_.Unary(Op::kHardSwish, UniqueName(*product), x.node), x.rank);
  values_[node.output(0)] = values_[product->output(0)];  // nobody else reads it
  done_.insert(product->output(0));
}

void LayerReader::AddSoftmax(const OnnxNode& node) {
  const OnnxValue x = Input(node, 0);
  const int64_t axis = IntAttribute(node, "axis", file_.opset() < 13 ? 1 : -1);
  const bool flat = file_.opset() >= 13 || (ShapeOf(x).h == 1 && ShapeOf(x).w == 1);  // older ones flatten from axis on
  if ((axis != 1 && axis != 1 - x.rank) || !flat) Refuse(node, "is not over channels");
  SetOutput(node, builder_.Unary(Op::kSoftmax, UniqueName(node), x.node), x.rank);
}

void LayerReader::AddActivation(const OnnxNode& node) {
  static const std::map<std::string, Op> kOps{
      {"Relu", Op::kRelu}, {"Sigmoid", Op::kSigmoid}, {"HardSwish", Op::kHardSwish}};
  const OnnxValue x = Input(node, 0);
  SetOutput(node, builder_.Unary(kOps.at(node.op_type()), UniqueName(node), x.node), x.rank);
}

}  // namespace hot
