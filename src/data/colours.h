// Private to data/: colour distortion of training pictures (Liu et al., 2016, after Howard, 2013), as one affine map of
// (r, g, b), so that any number of distortions costs one pass over the pixels. Deterministic in the Rng; thread-safe.
#pragma once

#include <opencv2/core.hpp>

#include "core/rng.h"
#include "data/augment.h"

namespace hot {

using ColourMap = cv::Matx34d;  // for cv::transform

// SSD's order: brightness, then contrast either before or after saturation and hue; each one with probability 1/2.
ColourMap SampleColours(const AugmentOptions& options, Rng& rng);

}  // namespace hot
