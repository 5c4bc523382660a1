// Toolchain "openvino": the blob is ONNX, in float or with QuantizeLinear/DequantizeLinear; OpenVINO compiles it on the
// device when it is loaded. Called through MakeToolchain().
#pragma once

#include <memory>

#include "deploy/toolchain.h"

namespace hot {

std::unique_ptr<Toolchain> MakeOpenVinoToolchain();

}  // namespace hot
