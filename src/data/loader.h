// Decodes, augments and batches in worker threads, in an order and with augmentations that depend only on (seed,
// epoch). One consumer thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "data/augment.h"

namespace hot {

struct LoaderOptions {
  int batch = 32;
  int threads = 1;  // worker threads; 0 decodes in Next()
  uint64_t seed = 0;
  bool shuffle = true;
  bool drop_last = false;  // leave out a last batch that is not full
  size_t cache_bytes =
      size_t{1} << 30;  // decoded pictures kept (shrunk to at most cache_side), so that later epochs skip JPEG
  int cache_side = 0;   // 0: keep at full size
  AugmentOptions augment;
  Preprocessing preprocessing;
};

struct Batch {
  int size = 0;
  std::vector<float> images;                 // size x 3 x height x width
  std::vector<std::vector<Object>> objects;  // per picture, in input pixels
  std::vector<int> indices;                  // into Dataset::samples
};

// The picture as it was labelled: some tools ignore the EXIF rotation, which shows in exchanged width and height.
// Throws as DecodeImage does. Thread-safe. Pixels of the annotation are `sample.width` by `sample.height`, which may
// differ from the picture's size; scale by the ratio.
Image DecodeSample(const Sample& sample);

// What stands where a view reaches outside the picture: the mean, hence zeros in the input.
std::array<uint8_t, 3> FillColour(const Preprocessing& preprocessing);

// Decodes a sample and fills out[3*height*width] with what the network sees of it (crops.h), without augmentation: for
// calibration and evaluation. Throws as DecodeImage does. Thread-safe.
void SampleToInput(const Sample& sample, const Preprocessing& preprocessing, float* out);

class Loader {
 public:
  // `dataset` must outlive the loader.
  Loader(const Dataset& dataset, const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // Starts (or restarts) at the first batch of `epoch`.
  void BeginEpoch(int epoch);
  // False at the end of the epoch. Errors of the workers (a broken picture) are thrown here.
  bool Next(Batch* batch);
  int batches_per_epoch() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hot
