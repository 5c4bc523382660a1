// SSD's training augmentation (Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, section 2.2 and 3.6).
// Deterministic in the Rng; thread-safe.
#pragma once

#include <vector>

#include "core/rng.h"
#include "data/dataset.h"
#include "data/image.h"

namespace hot {

struct AugmentOptions {
  bool enabled = true;
  double flip = 0.5;                     // probability
  double zoom_out = 0.5;                 // probability; canvas up to max_zoom_out times as wide and high, filled with the mean
  double max_zoom_out = 4.0;
  double min_crop = 0.3;                 // smallest side of a random IoU crop relative to the picture
  double brightness = 32.0 / 255;        // delta
  double contrast = 0.5;                 // factor in [1-c, 1+c]
  double saturation = 0.5;
  double hue_degrees = 18.0;
};

// One augmented picture at the network's input size, objects in *its* pixels. After a crop only objects whose centre lies
// inside are kept, clipped to it.
struct TrainingExample {
  Image image;
  std::vector<Object> objects;
};

TrainingExample Augment(const Image& image, const std::vector<Object>& objects, int width, int height,
                        const AugmentOptions& options, Rng& rng);

}  // namespace hot
