// A toolchain turns graph + weights + precision into an artifact. To add one: a folder in toolchains/, its row in
// MakeToolchain(), and toolchain_contract_test runs it. Thread rule: one call at a time an object.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/artifact.h"
#include "deploy/device.h"
#include "graph/fold.h"
#include "graph/precision.h"
#include "quantize/quantize.h"

namespace hot {

struct CompileRequest {
  const Network& network;  // batch norm folded
  Precision precision = Precision::kFp32;
  const Quantization* quantization = nullptr;  // needed for int8
  int threads = 1;
  bool int8_borders =
      false;  // a block measured alone: see OnnxOptions (integers: int8_borders, floats: channels_last_borders)
  bool timing_only = false;  // leave out what only shipping needs: golden pairs, executed precision of each layer
  std::string graph_key;     // of the unfolded graph
  std::span<const Tensor> golden_inputs = {};  // pictures for the golden pairs; none: a random one
};

class Toolchain {
 public:
  virtual ~Toolchain() = default;
  virtual std::string_view name() const = 0;
  virtual std::string version() const = 0;
  // Everything besides the request that changes the code it makes; canonical text, part of every measurement's key.
  virtual std::string flags() const = 0;
  virtual std::vector<Precision> precisions() const = 0;
  // Throws Error(kUnimplemented) for a precision it lacks.
  virtual Artifact Compile(const CompileRequest& request) const = 0;
};

// Throws Error(kUnimplemented), saying `lacks`, when the toolchain lacks the request's precision, and
// Error(kInvalidArgument) when integers come without a quantization.
void CheckPrecision(const Toolchain& toolchain, const CompileRequest& request, const std::string& lacks);

// "openvino", "tvm", "vela"; `device` is what it compiles for, where that makes a difference: for a remote device the
// agent there compiles. Throws Error(kInvalidArgument) with the known names, or when the toolchain has nothing for that
// device; kUnavailable when it is not installed (there).
std::unique_ptr<Toolchain> MakeToolchain(std::string_view name, std::string_view device = "host",
                                         const AgentAccess& access = {});

}  // namespace hot
