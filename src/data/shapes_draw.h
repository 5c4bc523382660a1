// Private to data/: draws one synthetic picture. Deterministic in the Rng; thread-safe.
#pragma once

#include <array>
#include <vector>

#include "core/rng.h"
#include "data/dataset.h"
#include "data/image.h"

namespace hot {

constexpr std::array<const char*, 3> kShapeNames{"circle", "square", "triangle"};
constexpr size_t kShapeKeypoints = 4;

struct ShapesPicture {
  Image image;
  // Boxes have whole-numbered corners (VOC can hold nothing else), areas are those of the shapes; labels as in
  // kShapeNames; each object has kShapeKeypoints keypoints.
  std::vector<Object> objects;
};

// 1 to 6 shapes of 15 to 60 % of the shorter side over gradient, blotches, lines and noise.
ShapesPicture DrawShapes(int width, int height, Rng& rng);

}  // namespace hot
