#include "tune/samplers/grid.h"

#include "core/error.h"

namespace hot {

HyperPoint GridSampler::Suggest(const SampleRequest& request) {
  const auto count = PointCount(request.space);
  if (!count) throw Error(Code::kInvalidArgument, "train.hpo", "a grid needs lists of values, not ranges");
  for (size_t index = request.tried.size(); index < *count; ++index) {
    HyperPoint point = PointAt(request.space, index);
    if (!IsTried(request, point)) return point;
  }
  throw Error(Code::kOutOfRange, "train.hpo", "every combination was tried");
}

}  // namespace hot
