// Bayesian search by Optuna in the Python worker: tree-structured Parzen estimator (Bergstra et al., "Algorithms for
// hyper-parameter optimization", NIPS 2011), or a Gaussian process by BoTorch (Balandat et al., NeurIPS 2020, the
// source paper's reference [5]). Each request carries the whole history, so the worker keeps nothing.
#pragma once

#include <memory>
#include <string>

#include "tune/sampler.h"

namespace hot {

class Bridge;

class OptunaSampler : public Sampler {
 public:
  // "tpe" or "botorch". Starts the worker. Throws Error(kUnavailable) when Python, Optuna or BoTorch is not there.
  explicit OptunaSampler(std::string kind);
  ~OptunaSampler() override;
  std::string_view name() const override { return kind_; }
  HyperPoint Suggest(const SampleRequest& request) override;

 private:
  std::string kind_;
  std::unique_ptr<Bridge> bridge_;
};

}  // namespace hot
