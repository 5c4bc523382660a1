// Names of nodes that a person recognizes: those of PyTorch's modules, where an exporter left them. Pure functions.
#pragma once

#include <string>

#include "onnx.pb.h"

namespace hot {

// "features.0.0" for a convolution whose weight is "features.0.0.weight", or which is called
// "/features/features.0/features.0.0/Conv"; "layer1.0.Add" for "/layer1/layer1.0/Add"; else what its output is called.
// Of the characters that a graph's names may have, at most 200, not empty.
std::string ReadableName(const onnx::NodeProto& node);

}  // namespace hot
