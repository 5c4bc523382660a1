// Training augmentation. Of whole pictures, that of SSD (Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016,
// section 2.2 and 3.6): zoom-out, random IoU crop, flip, colour distortion. Of crops around one object, that of CPN
// (Chen et al., 2018, section 4.1): zoom, rotation, flip, and the same colours. Called by the loader. Deterministic in
// the Rng; thread-safe.
//
// The geometry is chosen first and the picture is resampled once; colours are changed on the small result, which is the
// same but for rounding (they work pixel by pixel) and many times faster.
#pragma once

#include <vector>

#include "core/rng.h"
#include "data/dataset.h"
#include "data/image.h"
#include "data/keypoints.h"

namespace hot {

struct AugmentOptions {
  bool enabled = true;
  double flip = 0.5;      // probability of mirroring left and right
  double zoom_out = 0.5;  // probability; canvas up to max_zoom_out times as wide and high, filled with the mean
  double max_zoom_out = 4.0;
  double min_crop = 0.3;           // smallest side of a random IoU crop relative to the picture
  double brightness = 32.0 / 255;  // delta
  double contrast = 0.5;           // factor in [1-c, 1+c]
  double saturation = 0.5;
  double hue_degrees = 18.0;
  double vertical_flip = 0;  // probability of mirroring top and bottom
  double transpose = 0;  // probability of exchanging x and y; all three at 1/2: all turns and mirrorings, equally often
  double crop = 6.0 / 7;  // probability of a random IoU crop (SSD: one of seven choices is the whole picture)
  // Of crops: their side relative to the labelled one's, and the largest rotation, of every second example. A flip also
  // exchanges the keypoints of each pair; without pairs nobody knows what a mirror does to the names: no flips.
  double min_zoom = 0.7, max_zoom = 1.35;
  double rotate_degrees = 45;
  KeypointPairs mirror_pairs;
  uint8_t fill[3] = {128, 128,
                     128};  // colour around a zoomed-out picture; the loader sets it to the mean of its preprocessing
};

// One augmented picture at the network's input size, objects in *its* pixels. After a crop only objects whose centre
// lies inside are kept, clipped to it.
struct TrainingExample {
  Image image;
  std::vector<Object> objects;
};

// `objects` in pixels of `image`. Keypoints that are cropped away get visibility 0. A flip mirrors keypoints but does
// not exchange left and right ones.
TrainingExample Augment(const Image& image, const std::vector<Object>& objects, int width, int height,
                        const AugmentOptions& options, Rng& rng);

// The same for a crop. `shown` is (part of) the picture, `area` the part of the annotation's frame that it shows.
// Geometry and resampling are one affine map. The object is never lost: its box becomes the box around the turned one,
// its area grows with the zoom; keypoints that leave the input get visibility 0.
TrainingExample AugmentCrop(const Image& shown, const Box& area, const Sample& sample, int width, int height,
                            const AugmentOptions& options, Rng& rng);

// What the augmentation of a crop can look at, in the crop's frame; the crop itself without augmentation.
Box CropReach(const Box& crop, const AugmentOptions& options);

// The parts, for tests and other users.

// Boxes, keypoints and areas of a picture that is resized by these factors.
void ScaleObjects(double scale_x, double scale_y, std::vector<Object>* objects);

// Exchanges the keypoints of each pair. Throws Error(kInvalidArgument) when a pair names a keypoint that is not there.
void ExchangeKeypoints(const KeypointPairs& pairs, std::vector<Object>* objects);

// Mirrors left and right.
void FlipHorizontally(TrainingExample* example);

// Mirrors top and bottom.
void FlipVertically(TrainingExample* example);

// Exchanges x and y: mirrors at the diagonal through the first pixel. Width and height change places.
void Transpose(TrainingExample* example);

// Objects as seen through `window` (in pixels of the picture), resized so that the window becomes width x height.
std::vector<Object> CropObjects(const std::vector<Object>& objects, const Box& window, double width, double height);

}  // namespace hot
