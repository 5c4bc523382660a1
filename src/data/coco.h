// Private to data/: COCO detection and keypoint JSON. Boxes are [x, y, width, height] in continuous pixels, so
// [x, x + width) x [y, y + height).
#pragma once

#include "data/dataset.h"

namespace hot {

// Objects of categories that are not among source.classes are left out; pictures without objects stay.
Dataset ReadCoco(const DataSource& source);

}  // namespace hot
