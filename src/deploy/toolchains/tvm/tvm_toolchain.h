// Toolchain "tvm": the blob is a shared object of our own TensorIR templates, compiled by TVM in the Python worker.
// Called through MakeToolchain().
#pragma once

#include <memory>

#include "deploy/toolchain.h"

namespace hot {

// Throws Error(kUnavailable) when TVM is not installed, or this processor is none that the templates are for.
std::unique_ptr<Toolchain> MakeTvmToolchain();

}  // namespace hot
