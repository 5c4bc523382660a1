// One node of an ONNX file at a time -> nodes of a graph, their parameters, and what its outputs are called in the
// file. Used by onnx_reader.cpp only.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "deploy/onnx_reader/model_file.h"
#include "graph/graph.h"
#include "graph/tensor.h"

namespace hot {

using OnnxNode = onnx::NodeProto;

// A tensor that is computed: a node's output, which the file has as [1, c, h, w] or, where h = w = 1, as [1, c].
struct OnnxValue {
  NodeId node = -1;
  int rank = 4;
};

class LayerReader {
 public:
  explicit LayerReader(ModelFile& file);

  void AddInput(const std::string& tensor, Shape shape);
  // The node's outputs have values or constants afterwards. Throws Error(kUnimplemented) for what the graph has no
  // operation for, kInvalidArgument for what is no ONNX.
  void Add(const onnx::NodeProto& node);

  const OnnxValue* FindValue(const std::string& tensor) const;
  GraphBuilder& builder() { return builder_; }
  Weights TakeWeights() && { return std::move(weights_); }

 private:
  using Method = void (LayerReader::*)(const OnnxNode&);
  static const std::map<std::string, Method>& Methods();

  // windows.cpp
  void AddConv(const OnnxNode& node);
  void AddPool(const OnnxNode& node);
  void AddResize(const OnnxNode& node);
  double ResizeFactor(const OnnxNode& node, const Shape& in) const;
  std::array<int, 4> PadsOf(const OnnxNode& node, const Shape& in, int kernel, int stride) const;
  int SquareAttribute(const OnnxNode& node, const char* name, int fallback) const;
  // layers.cpp
  void AddBatchNorm(const OnnxNode& node);
  void AddGemm(const OnnxNode& node);
  void AddMatMul(const OnnxNode& node);
  void AddSum(const OnnxNode& node);
  void AddProduct(const OnnxNode& node);
  void AddConcat(const OnnxNode& node);
  void AddClip(const OnnxNode& node);
  void AddHardSigmoid(const OnnxNode& node);
  void AddSoftmax(const OnnxNode& node);
  void AddActivation(const OnnxNode& node);
  void AddLinear(const OnnxNode& node, const OnnxConstant& matrix, bool rows_are_outputs, const OnnxConstant* bias);
  // shapes.cpp
  void AddGlobalPool(const OnnxNode& node);
  void AddReduceMean(const OnnxNode& node);
  void AddFlatten(const OnnxNode& node);
  void AddReshape(const OnnxNode& node);
  void AddSqueeze(const OnnxNode& node);
  void AddShapeOf(const OnnxNode& node);
  void AddSame(const OnnxNode& node);
  void AddConstantNode(const OnnxNode& node);
  void FlattenTo(const OnnxNode& node, const OnnxValue& x, int rank);
  bool IsOverHeightAndWidth(const OnnxNode& node) const;  // by its axes

  bool FoldConstants(const OnnxNode& node);
  [[noreturn]] void Refuse(const OnnxNode& node, const std::string& why) const;
  void RefuseUnless(bool fits, const OnnxNode& node, const char* why) const {
    if (!fits) Refuse(node, why);
  }
  std::string UniqueName(const OnnxNode& node);
  const OnnxValue& Input(const OnnxNode& node, int index) const;
  const Shape& ShapeOf(const OnnxValue& value) const { return builder_.shape(value.node); }
  // Null where the node has no such input; throws where it is computed.
  const OnnxConstant* ConstantInput(const OnnxNode& node, int index) const;
  const OnnxConstant& NeededConstant(const OnnxNode& node, int index) const;
  void SetOutput(const OnnxNode& node, NodeId id, int rank) { values_[node.output(0)] = {.node = id, .rank = rank}; }
  // The only node that reads a tensor; null: none, several, or the tensor is an output of the file.
  const OnnxNode* SoleReader(const std::string& tensor) const;
  void Store(const std::string& parameter, std::vector<int64_t> shape, const std::vector<float>& values);

  ModelFile& file_;
  GraphBuilder builder_;
  Weights weights_;
  std::map<std::string, OnnxValue> values_;
  std::map<std::string, std::vector<const OnnxNode*>> readers_;
  std::set<std::string> outputs_, names_, done_;  // done_: nodes' outputs that a node before has made
};

}  // namespace hot
