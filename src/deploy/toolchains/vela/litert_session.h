// A TFLite file run by LiteRT on this machine, in the Python worker: what the accuracy of an Ethos-U artifact is read
// from. Used by the vela toolchain and the ethos devices, so that both execute the same code. One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/bridge.h"
#include "core/files.h"
#include "deploy/device.h"

namespace hot {

class LiteRtSession : public Session {
 public:
  // `where` names the file in errors. `worker` is shared with whoever made it: sessions may outlive it. Throws
  // Error(kDataLoss) for bytes that are no TFLite model, kUnavailable without LiteRT.
  LiteRtSession(std::shared_ptr<Bridge> worker, const std::string& tflite, const std::string& where);

  // Float tensors in NCHW; they are rounded to the file's integers, and its integers scaled back.
  std::vector<Tensor> Run(std::span<const Tensor> inputs) override;
  std::map<std::string, std::string> LayerPrecisions() const override { return layers_; }

  std::vector<std::string> InputNames() const { return Names(inputs_); }
  std::vector<std::string> OutputNames() const { return Names(outputs_); }
  std::vector<std::vector<int64_t>> InputShapes() const { return Shapes(inputs_); }
  std::vector<std::vector<int64_t>> OutputShapes() const { return Shapes(outputs_); }

 private:
  struct Port {
    std::string name;
    std::vector<int64_t> shape;
    fs::path file;  // values on their way to and from the worker
  };
  static std::vector<std::string> Names(const std::vector<Port>& ports);
  static std::vector<std::vector<int64_t>> Shapes(const std::vector<Port>& ports);

  std::shared_ptr<Bridge> worker_;
  std::string where_;
  TempFolder folder_;
  std::vector<Port> inputs_, outputs_;
  std::map<std::string, std::string> layers_;
};

}  // namespace hot
