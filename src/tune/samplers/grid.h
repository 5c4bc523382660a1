// Grid search: every combination of the listed values, in the order of the lists (source paper, sections 3 and 5).
#pragma once

#include "tune/sampler.h"

namespace hot {

class GridSampler : public Sampler {
 public:
  std::string_view name() const override { return "grid"; }
  // Also throws Error(kInvalidArgument) when a parameter is a range.
  HyperPoint Suggest(const SampleRequest& request) override;
};

}  // namespace hot
