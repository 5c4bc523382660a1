// Toolchain "tvm": the blob is a shared object of our own TensorIR templates, compiled by TVM in the Python worker.
// Called through MakeToolchain().
#pragma once

#include <memory>

#include "deploy/toolchain.h"

namespace hot {

// Throws Error(kUnavailable) when TVM is not installed, or this processor is none that the templates are for.
std::unique_ptr<Toolchain> MakeTvmToolchain();

// The instruction set that an artifact of this toolchain is for.
std::string InstructionSetOf(const Artifact& artifact);

// `made`, an artifact of this toolchain, for the processors of a board: "aarch64-dotprod", "aarch64-neon",
// "x86-64-avx2", "x86-64-avx512-vnni". `network` and `quantization` are what `made` was compiled from. Golden pairs and
// deviations stay those of `made`, and its flags say of which instruction set. Throws Error(kInvalidArgument) for an
// unknown instruction set or another toolchain's artifact, kUnavailable where no compiler for that processor is
// installed.
Artifact CompileTvmFor(const std::string& isa, const Artifact& made, const Network& network,
                       const Quantization* quantization);

}  // namespace hot
