// One ONNX file compiled by OpenVINO for the CPU: runs it, times it, tells which precision each layer executes in. Used
// by the openvino toolchain and the host device, so that both execute the same code. One thread at a time.
#pragma once

#include <memory>
#include <openvino/openvino.hpp>
#include <string>
#include <vector>

#include "deploy/timed_session.h"
#include "graph/precision.h"

namespace hot {

// Everything that changes the code OpenVINO makes, as text for keys.
std::string OpenVinoFlags();
std::string OpenVinoVersion();
// Precisions that this CPU executes as such: OpenVINO runs fp16 as bf16 or fp32 where the CPU lacks it, and int16x8
// nowhere: it drops the rounding to 16 bits and computes in float.
std::vector<Precision> OpenVinoPrecisions(const ov::Core& core);

// One step of the compiled network, layout conversions ("Reorder") included.
struct LayerTime {
  std::string layer;   // name in the ONNX file, or OpenVINO's own
  std::string type;    // "Convolution"
  std::string kernel;  // "brgconv_avx512_i8"
  double us = 0;
};

class OpenVinoModel : public TimedSession {
 public:
  // `where` names the file in errors. Throws Error(kDataLoss) for bytes that are no ONNX model OpenVINO can compile.
  // `layer_timers` makes LayerTimes() work and every inference a little slower.
  OpenVinoModel(ov::Core& core, const std::string& onnx, Precision precision, int threads, const std::string& where,
                bool layer_timers = false);

  // The same code in other memory, in a fifth of the time. `core` is the one it was made with.
  std::unique_ptr<OpenVinoModel> Again(ov::Core& core) const;

  // Tensors of 8-bit inputs and outputs hold the integers.
  std::vector<Tensor> Run(std::span<const Tensor> inputs) override;
  std::map<std::string, std::string> LayerPrecisions() const override;

  void FillInputs(uint64_t seed) override;
  void Infer() override;
  // Of the last inference, in order of execution, steps that took part only. Empty without `layer_timers`.
  std::vector<LayerTime> LayerTimes() const;

  std::vector<std::string> InputNames() const;
  std::vector<std::string> OutputNames() const;
  std::vector<std::vector<int64_t>> InputShapes() const;
  std::vector<std::vector<int64_t>> OutputShapes() const;

 private:
  OpenVinoModel(ov::AnyMap properties, std::string where)
      : where_(std::move(where)), properties_(std::move(properties)) {}

  std::string where_;
  ov::AnyMap properties_;
  ov::CompiledModel compiled_;
  ov::InferRequest request_;
  std::shared_ptr<const std::string> exported_;  // what it was imported from, if it was
};

}  // namespace hot
