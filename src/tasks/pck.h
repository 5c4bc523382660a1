// The errors behind the percentage of correct keypoints. Internal to the metrics; Pck() in metric.h says what is
// paired.
#pragma once

#include <functional>

#include "tasks/metric.h"

namespace hot {

// Calls visit(picture, keypoint, error) for each labelled keypoint of each object that is not a crowd, picture by
// picture: indices from 0, and the distance to the prediction over the longer side of the object's box, infinite for
// an object without a detection. Throws as Pck().
using VisitKeypoint = std::function<void(size_t picture, size_t keypoint, double error)>;
void VisitKeypointErrors(const std::vector<ScoredPicture>& pictures, const VisitKeypoint& visit);

}  // namespace hot
