// The network of this bundle in OpenVINO, as it was measured. Tensors are float32, row-major, batch 1.
#pragma once

#include <openvino/openvino.hpp>

#include "network.h"  // names, sizes and thresholds

struct Model {
  explicit Model(const std::string& bundle)
      : request(ov::Core()
                    .compile_model(bundle + "/artifact/model.onnx", "CPU",
                                   ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY), ov::num_streams(1),
                                   ov::inference_num_threads(network::kThreads), ov::hint::enable_cpu_pinning(false),
                                   ov::hint::inference_precision(ov::element::Type(network::kFloatPrecision)))
                    .create_infer_request()) {}

  static std::string Version() { return ov::get_openvino_version().buildNumber; }

  Outputs Run(std::vector<float> input) {
    request.set_input_tensor(ov::Tensor(ov::element::f32, request.get_input_tensor().get_shape(), input.data()));
    request.infer();
    Outputs outputs;
    for (const auto& output : request.get_compiled_model().outputs()) {
      const ov::Tensor tensor = request.get_tensor(output);
      outputs.emplace_back(tensor.data<float>(), tensor.data<float>() + tensor.get_size());
    }
    return outputs;
  }

  ov::InferRequest request;
};
