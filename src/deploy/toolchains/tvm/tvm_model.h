// One network compiled by our TVM templates (python/hot_bridge/tvm_compiler): a shared object that is loaded through
// tvm-ffi and computes in one arena, allocated here once. Used by the tvm toolchain and the host device. One thread at
// a time.
#pragma once

#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/extra/module.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deploy/timed_session.h"

namespace hot {

// The library's description (docs/formats/tvm-library.md).
struct TvmDescription {
  struct Port {
    std::string name, dtype;  // "float32" or "int8"
    std::vector<int64_t> shape;
  };
  struct Step {
    std::string layer, op, precision;
  };
  std::string compiler;  // TVM's version
  std::string isa;
  int64_t arena_bytes = 0, live_bytes = 0, constant_bytes = 0;
  int kernels = 0;
  int first_timed = 0, last_timed = 0;  // steps that Infer() executes
  std::vector<Port> inputs, outputs;
  std::vector<Step> steps;
};

class TvmModel : public TimedSession {
 public:
  // `where` names the library in errors. Throws Error(kDataLoss) for bytes that are no such library,
  // kFailedPrecondition when it is for another processor.
  TvmModel(const std::string& library, const std::string& where);

  // Tensors of int8 inputs and outputs hold the integers.
  std::vector<Tensor> Run(std::span<const Tensor> inputs) override;
  std::map<std::string, std::string> LayerPrecisions() const override;
  void FillInputs(uint64_t seed) override;
  void Infer() override;

  const TvmDescription& description() const { return description_; }

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  using Memory = std::unique_ptr<void, Free>;
  struct Buffer {
    Memory memory;
    std::vector<int64_t> shape;
    DLTensor tensor;
  };

  static Memory Allocate(int64_t bytes);
  static Buffer MakeBuffer(const std::vector<int64_t>& shape, const std::string& dtype);
  void Bind();
  void Execute(int first, int last);

  std::string where_;
  std::optional<tvm::ffi::Module> library_;  // keeps the code of main_ mapped
  tvm::ffi::Function main_;
  TvmDescription description_;
  std::vector<Buffer> inputs_, outputs_;
  Buffer arena_;
  std::vector<tvm::ffi::AnyView> arguments_;  // first and last step, inputs, outputs, arena
};

}  // namespace hot
