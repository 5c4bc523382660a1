// Convolutions, pools and upsampling: what slides a window.
#include <algorithm>
#include <cmath>

#include "deploy/onnx_reader/layer_reader.h"

namespace hot {
namespace {

constexpr int64_t kMaxAttribute = 1 << 16;

bool AllAre(const std::vector<int64_t>& values, int64_t expected) {
  return std::ranges::all_of(values, [&](int64_t value) { return value == expected; });
}

// What is missing for windows to cover the whole side, SAME_UPPER's way: more behind.
std::pair<int, int> SamePads(int side, int kernel, int stride, bool more_before) {
  const int out = (side + stride - 1) / stride;
  const int pads = std::max(0, (out - 1) * stride + kernel - side);
  const int less = pads / 2;
  return more_before ? std::pair{pads - less, less} : std::pair{less, pads - less};
}

// That ceil_mode gives what is read: windows end where the side does.
bool CoversAll(int side, int kernel, int stride) { return (side - kernel) % stride == 0; }

}  // namespace

// Of two equal numbers; `fallback` where the attribute is missing, if there is one.
int LayerReader::SquareAttribute(const OnnxNode& node, const char* name, int fallback) const {
  const std::vector<int64_t> values = IntsAttribute(node, name);
  if (values.empty() && fallback > 0) return fallback;
  if (values.size() != 2) Refuse(node, std::string(name) + " is not that of pictures");
  if (values[0] != values[1]) Refuse(node, std::string(name) + " differs between height and width");
  if (values[0] < 1 || values[0] > kMaxAttribute) Refuse(node, std::string(name) + " can't be");
  return static_cast<int>(values[0]);
}

// Top, left, bottom, right.
std::array<int, 4> LayerReader::PadsOf(const OnnxNode& node, const Shape& in, int kernel, int stride) const {
  const std::string automatic = TextAttribute(node, "auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    const bool lower = automatic == "SAME_LOWER";
    const auto [top, bottom] = SamePads(in.h, kernel, stride, lower);
    const auto [left, right] = SamePads(in.w, kernel, stride, lower);
    return {top, left, bottom, right};
  }
  const std::vector<int64_t> pads = IntsAttribute(node, "pads");
  if (pads.empty() || automatic == "VALID") return {};
  if (pads.size() != 4) Refuse(node, "pads are not those of pictures");
  std::array<int, 4> result{};
  for (size_t i = 0; i < 4; ++i) {
    if (pads[i] < 0 || pads[i] > kMaxAttribute) Refuse(node, "pads can't be");
    result[i] = static_cast<int>(pads[i]);
  }
  return result;
}

void LayerReader::AddConv(const OnnxNode& node) {
  const OnnxValue x = Input(node, 0);
  const OnnxConstant& weight = NeededConstant(node, 1);
  const OnnxConstant* bias = ConstantInput(node, 2);
  const Shape& in = ShapeOf(x);
  const int64_t groups = IntAttribute(node, "group", 1);
  RefuseUnless(x.rank == 4 && weight.shape.size() == 4 && !weight.is_integer, node, "is no convolution of pictures");
  RefuseUnless(AllAre(IntsAttribute(node, "dilations"), 1), node, "is dilated");
  RefuseUnless(weight.shape[2] == weight.shape[3], node, "its kernel is not square");
  RefuseUnless(groups >= 1 && groups <= in.c && weight.shape[2] >= 1, node, "its groups or kernel can't be");
  RefuseUnless(weight.shape[1] * groups == in.c, node, "its weights are for other channels than it reads");
  Attrs attrs{.out_channels = static_cast<int>(weight.shape[0]),
              .kernel = static_cast<int>(std::min(weight.shape[2], kMaxAttribute)),
              .stride = SquareAttribute(node, "strides", 1),
              .groups = static_cast<int>(groups),
              .bias = bias != nullptr};
  attrs.pads = PadsOf(node, in, attrs.kernel, attrs.stride);
  const std::string name = UniqueName(node);
  SetOutput(node, builder_.Conv(name, x.node, attrs), 4);
  Store(name + ".weight", weight.shape, weight.values);
  if (bias != nullptr) Store(name + ".bias", {attrs.out_channels}, bias->values);
}

void LayerReader::AddPool(const OnnxNode& node) {
  const OnnxValue x = Input(node, 0);
  const Shape in = ShapeOf(x);
  const bool max = node.op_type() == "MaxPool";
  RefuseUnless(x.rank == 4, node, "is no pool of pictures");
  RefuseUnless(node.output_size() == 1, node, "its indices are read, too");
  RefuseUnless(AllAre(IntsAttribute(node, "dilations"), 1), node, "is dilated");
  if (!max && IntsAttribute(node, "kernel_shape") == std::vector<int64_t>{in.h, in.w})
    return SetOutput(node, builder_.Unary(Op::kGlobalAvgPool, UniqueName(node), x.node), 4);
  const int kernel = SquareAttribute(node, "kernel_shape", 0), stride = SquareAttribute(node, "strides", 1);
  const std::array<int, 4> pads = PadsOf(node, in, kernel, stride);
  const int pad = pads[0];
  RefuseUnless(std::ranges::count(pads, pad) == 4, node, "its padding differs between the sides");
  const bool counts_padding = pad > 0 && IntAttribute(node, "count_include_pad", 0) != 0;
  RefuseUnless(max || !counts_padding, node, "its mean counts padding");
  const bool covers = CoversAll(in.h + 2 * pad, kernel, stride) && CoversAll(in.w + 2 * pad, kernel, stride);
  RefuseUnless(covers || IntAttribute(node, "ceil_mode", 0) == 0, node,
               "its last window reaches beyond the map (ceil_mode)");
  const Op op = max ? Op::kMaxPool : Op::kAvgPool;
  SetOutput(node, builder_.Pool(op, UniqueName(node), x.node, kernel, stride, pad), 4);
}

// Of height and width alike; 0 where the node does not say it in numbers.
double LayerReader::ResizeFactor(const OnnxNode& node, const Shape& in) const {
  double height = 0, width = 0;
  if (const OnnxConstant* scales = ConstantInput(node, 2); scales != nullptr && scales->values.size() == 4) {
    height = scales->values[2];
    width = scales->values[3];
  } else if (const OnnxConstant* sizes = ConstantInput(node, 3); sizes != nullptr && sizes->integers.size() == 4) {
    height = static_cast<double>(sizes->integers[2]) / in.h;
    width = static_cast<double>(sizes->integers[3]) / in.w;
  }
  return height == width ? height : 0;
}

// Nearest neighbour by a whole factor. Of the ways to place pixels, those that make each cell factor x factor ones.
void LayerReader::AddResize(const OnnxNode& node) {
  static const std::set<std::string> kCells{"asymmetric floor", "half_pixel round_prefer_floor",
                                            "half_pixel round_prefer_ceil"};
  const OnnxValue x = Input(node, 0);
  const std::string places = TextAttribute(node, "coordinate_transformation_mode", "half_pixel") + " " +
                             TextAttribute(node, "nearest_mode", "round_prefer_floor");
  const bool nearest = TextAttribute(node, "mode", "nearest") == "nearest";
  RefuseUnless(nearest && kCells.contains(places), node, "is no plain nearest neighbour");
  constexpr double kLargest = 64;
  const double factor = std::clamp(ResizeFactor(node, ShapeOf(x)), 0.0, kLargest);
  RefuseUnless(factor >= 1 && factor == std::floor(factor), node, "is not by a whole factor");
  SetOutput(node, builder_.Upsample(UniqueName(node), x.node, static_cast<int>(factor)), 4);
}

}  // namespace hot
