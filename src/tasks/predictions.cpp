#include "tasks/predictions.h"

#include "core/error.h"
#include "data/crops.h"

namespace hot {

PicturePredictions::PicturePredictions(const Dataset& pictures, const Shape& input) : input_(input) {
  for (const Sample& picture : pictures.samples) {
    place_[picture.id] = pictures_.size();
    pictures_.push_back({.id = picture.id, .truth = picture.objects, .detections = {}});
  }
}

void PicturePredictions::Add(const Sample& view, std::vector<Detection> detections) {
  const Box seen = ViewOf(view);
  const double sx = seen.width() / input_.w, sy = seen.height() / input_.h;
  const auto place = place_.find(view.crop ? view.crop->picture : view.id);
  HOT_ASSERT(place != place_.end());
  for (Detection& d : detections) {
    d.box = {seen.x0 + d.box.x0 * sx, seen.y0 + d.box.y0 * sy, seen.x0 + d.box.x1 * sx, seen.y0 + d.box.y1 * sy};
    for (Keypoint& point : d.keypoints) {
      point.x = static_cast<float>(seen.x0 + point.x * sx);
      point.y = static_cast<float>(seen.y0 + point.y * sy);
    }
    if (view.crop) {
      d.box = view.objects.at(0).box;
      d.label = view.objects.at(0).label;
    }
    pictures_[place->second].detections.push_back(std::move(d));
  }
}

}  // namespace hot
