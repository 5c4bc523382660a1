// Classification: which one class a picture shows. Head as published with MobileNetV2 (Sandler et al., 2018, table 2)
// and ResNet (He et al., 2016, table 1): global average pooling of the tail, one linear layer. Output, logits:
// "head.classifier" [classes, 1, 1].
#pragma once

#include "tasks/task.h"

namespace hot {

class ClassifyTask : public Task {
 public:
  // Throws Error(kInvalidArgument) for fewer than two classes.
  explicit ClassifyTask(TaskOptions options);
  std::string_view name() const override { return "classify"; }
  const TaskOptions& options() const override { return options_; }
  Predicted predicted() const override { return Predicted::kClasses; }
  Taps taps() const override { return {.strides = {}, .tail = true}; }
  void BuildHead(GraphBuilder& builder, const Features& features, Purpose purpose) const override;
  // One detection a class by falling probability (softmax), of equals the first class first, each with the whole input
  // as its box; at most TaskOptions::max_detections. Logits that are not numbers give none.
  std::vector<Detection> Decode(std::span<const Tensor> outputs) const override;

 private:
  TaskOptions options_;
};

}  // namespace hot
