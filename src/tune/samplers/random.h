// Random search (Bergstra and Bengio, "Random search for hyper-parameter optimization", JMLR 2012): better than a grid
// of the same size when only some of the parameters matter. Without repetition.
#pragma once

#include "tune/sampler.h"

namespace hot {

class RandomSampler : public Sampler {
 public:
  std::string_view name() const override { return "random"; }
  HyperPoint Suggest(const SampleRequest& request) override { return UntriedRandomPoint(request); }
};

}  // namespace hot
