// The network of this bundle in OpenVINO, as it was measured. Tensors are float32, row-major, batch 1.
#pragma once

#include <openvino/openvino.hpp>
#include <string>
#include <vector>

#include "network.h"  // names, sizes and thresholds

using Outputs = std::vector<std::vector<float>>;

class Model {
 public:
  explicit Model(const std::string& onnx) {
    model_ = ov::Core().compile_model(onnx, "CPU", ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
                                      ov::num_streams(1), ov::inference_num_threads(network::kThreads),
                                      ov::hint::enable_cpu_pinning(false),
                                      ov::hint::inference_precision(ov::element::Type(network::kFloatPrecision)));
    request_ = model_.create_infer_request();
  }

  Outputs Run(std::vector<float> input) {
    request_.set_input_tensor(ov::Tensor(ov::element::f32, model_.input().get_shape(), input.data()));
    request_.infer();
    Outputs outputs;
    for (size_t i = 0; i < model_.outputs().size(); ++i) {
      const ov::Tensor tensor = request_.get_output_tensor(i);
      outputs.emplace_back(tensor.data<float>(), tensor.data<float>() + tensor.get_size());
    }
    return outputs;
  }

 private:
  ov::CompiledModel model_;
  ov::InferRequest request_;
};
