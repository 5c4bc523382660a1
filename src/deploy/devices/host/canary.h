// The canary of the host device: a fixed small convolution network in fp32, about 0.3 ms on a desktop core (a reading
// takes three runs). It must never change: stored latencies are normalised by it.
#pragma once

#include <string>

namespace hot {

// ONNX bytes.
std::string CanaryOnnx();

}  // namespace hot
