// What changes a tensor's shape, or asks for it. A batch is always one picture.
#include <algorithm>

#include "deploy/onnx_reader/constant_nodes.h"
#include "deploy/onnx_reader/layer_reader.h"

namespace hot {
namespace {

std::vector<int64_t> Dims(const Shape& shape, int rank) {
  if (rank == 2) return {1, shape.c};
  return {1, shape.c, shape.h, shape.w};
}

// ONNX's rules: 0 keeps a side, -1 is what remains. Empty where that can't be.
std::vector<int64_t> ResolveDims(std::vector<int64_t> wanted, const std::vector<int64_t>& dims, int64_t elements) {
  int64_t known = 1;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == 0 && i < dims.size()) wanted[i] = dims[i];
    if (wanted[i] == -1) continue;
    if (wanted[i] < 1 || wanted[i] > elements / known) return {};
    known *= wanted[i];
  }
  for (int64_t& side : wanted) {
    if (side == -1) side = elements / known;
  }
  return wanted;
}

std::string Text(const std::vector<int64_t>& dims) {
  std::string text;
  for (const int64_t side : dims) {
    if (!text.empty()) text += 'x';
    text += std::to_string(side);
  }
  return text;
}

}  // namespace

bool LayerReader::IsOverHeightAndWidth(const OnnxNode& node) const {
  std::vector<int64_t> axes = node.input_size() > 1 ? AsIntegers(NeededConstant(node, 1)) : IntsAttribute(node, "axes");
  for (int64_t& axis : axes) axis += axis < 0 ? 4 : 0;
  std::ranges::sort(axes);
  return axes == std::vector<int64_t>{2, 3};
}

void LayerReader::AddGlobalPool(const OnnxNode& node) {
  const OnnxValue x = Input(node, 0);
  if (x.rank != 4) Refuse(node, "is no pool of pictures");
  SetOutput(node, builder_.Unary(Op::kGlobalAvgPool, UniqueName(node), x.node), 4);
}

void LayerReader::AddReduceMean(const OnnxNode& node) {
  const OnnxValue x = Input(node, 0);
  if (!IsOverHeightAndWidth(node) || x.rank != 4) Refuse(node, "is no mean over height and width");
  const bool keeps = IntAttribute(node, "keepdims", 1) != 0;
  SetOutput(node, builder_.Unary(Op::kGlobalAvgPool, UniqueName(node), x.node), keeps ? 4 : 2);
}

void LayerReader::FlattenTo(const OnnxNode& node, const OnnxValue& x, int rank) {
  const Shape& in = ShapeOf(x);
  const bool flat = in.h == 1 && in.w == 1;
  SetOutput(node, flat ? x.node : builder_.Unary(Op::kFlatten, UniqueName(node), x.node), rank);
}

void LayerReader::AddFlatten(const OnnxNode& node) {
  const OnnxValue x = Input(node, 0);
  const int64_t axis = IntAttribute(node, "axis", 1);
  if (axis != 1 && axis != 1 - x.rank) Refuse(node, "flattens from another side than the channels");
  FlattenTo(node, x, 2);
}

void LayerReader::AddReshape(const OnnxNode& node) {
  const OnnxValue x = Input(node, 0);
  const Shape& in = ShapeOf(x);
  const std::vector<int64_t> from = Dims(in, x.rank);
  const std::vector<int64_t> to = ResolveDims(AsIntegers(NeededConstant(node, 1)), from, in.elements());
  if (to == from) return SetOutput(node, x.node, x.rank);
  if (to == std::vector<int64_t>{1, in.elements()}) return FlattenTo(node, x, 2);
  if (to == std::vector<int64_t>{1, in.elements(), 1, 1}) return FlattenTo(node, x, 4);
  Refuse(node, "makes something of " + Text(from) + " that is no vector");
}

// Squeeze and Unsqueeze, between [1, c, 1, 1] and [1, c].
void LayerReader::AddSqueeze(const OnnxNode& node) {
  const OnnxValue x = Input(node, 0);
  const bool squeeze = node.op_type() == "Squeeze";
  if (!IsOverHeightAndWidth(node) || x.rank != (squeeze ? 4 : 2) || ShapeOf(x).h != 1 || ShapeOf(x).w != 1)
    Refuse(node, "changes other sides than height and width");
  SetOutput(node, x.node, squeeze ? 2 : 4);
}

void LayerReader::AddShapeOf(const OnnxNode& node) {
  const OnnxValue& x = Input(node, 0);
  OnnxConstant constant{.integers = Dims(ShapeOf(x), x.rank), .is_integer = true};
  const int64_t count = std::ssize(constant.integers);
  const auto limit = [&](const char* name, int64_t fallback) {
    const int64_t value = IntAttribute(node, name, fallback);
    return std::clamp<int64_t>(value < 0 ? value + count : value, 0, count);
  };
  const int64_t start = limit("start", 0), end = std::max(start, limit("end", count));
  constant.integers.erase(constant.integers.begin() + end, constant.integers.end());
  constant.integers.erase(constant.integers.begin(), constant.integers.begin() + start);
  constant.shape = {std::ssize(constant.integers)};
  file_.AddConstant(node.output(0), std::move(constant));
}

// Identity, Dropout (which does nothing when a network is used), and Cast between float types.
void LayerReader::AddSame(const OnnxNode& node) {
  const OnnxValue x = Input(node, 0);
  if (node.op_type() == "Cast") {
    const int64_t to = IntAttribute(node, "to", 0);
    const bool real = to == onnx::TensorProto::FLOAT || to == onnx::TensorProto::FLOAT16 ||
                      to == onnx::TensorProto::DOUBLE || to == onnx::TensorProto::BFLOAT16;
    if (!real) Refuse(node, "makes whole numbers of a map");
  }
  SetOutput(node, x.node, x.rank);
}

void LayerReader::AddConstantNode(const OnnxNode& node) {
  if (const onnx::AttributeProto* value = FindAttribute(node, "value"); value != nullptr && value->has_t())
    return file_.AddConstant(node.output(0), file_.Decode(value->t()));
  OnnxConstant constant;
  if (const onnx::AttributeProto* one = FindAttribute(node, "value_int"); one != nullptr) {
    constant = {.integers = {one->i()}, .is_integer = true};
  } else if (const onnx::AttributeProto* many = FindAttribute(node, "value_ints"); many != nullptr) {
    constant = {
        .shape = {many->ints_size()}, .integers = {many->ints().begin(), many->ints().end()}, .is_integer = true};
  } else if (const onnx::AttributeProto* real = FindAttribute(node, "value_float"); real != nullptr) {
    constant = {.values = {real->f()}};
  } else {
    Refuse(node, "holds neither a tensor nor numbers");
  }
  file_.AddConstant(node.output(0), std::move(constant));
}

}  // namespace hot
