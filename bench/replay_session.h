// Sessions between a bench and another program: what a network was given is written down, and what the other program
// made of it is given back. One thread.
#pragma once

#include <cstring>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "deploy/device.h"

namespace hot {

// Keeps what the network is given.
class RecordingSession : public Session {
 public:
  explicit RecordingSession(Session& inner) : inner_(inner) {}
  std::vector<Tensor> Run(std::span<const Tensor> inputs) override {
    recorded_.push_back(inputs[0]);
    return inner_.Run(inputs);
  }
  std::map<std::string, std::string> LayerPrecisions() const override { return inner_.LayerPrecisions(); }
  const std::vector<Tensor>& recorded() const { return recorded_; }

 private:
  Session& inner_;
  std::vector<Tensor> recorded_;
};

// Gives what another runtime gave for the same inputs in the same order: a file of float32.
class ReplaySession : public Session {
 public:
  ReplaySession(const Graph& graph, std::string bytes) : bytes_(std::move(bytes)) {
    for (const NodeId id : graph.outputs()) {
      const Shape& shape = graph.node(id).shape;
      outputs_.emplace_back(std::vector<int64_t>{1, shape.c, shape.h, shape.w});
    }
  }
  std::vector<Tensor> Run(std::span<const Tensor>) override {
    for (Tensor& output : outputs_) {
      const size_t size = output.data.size() * sizeof(float);
      if (at_ + size > bytes_.size()) throw Error(Code::kDataLoss, "replay", "there are too few outputs");
      std::memcpy(output.data.data(), bytes_.data() + at_, size);
      at_ += size;
    }
    return outputs_;
  }
  std::map<std::string, std::string> LayerPrecisions() const override { return {}; }

 private:
  std::string bytes_;
  size_t at_ = 0;
  std::vector<Tensor> outputs_;
};

}  // namespace hot
