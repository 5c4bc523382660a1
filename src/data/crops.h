// Top-down tasks look at one object at a time: pictures in, one sample an object out, and what the network sees of it.
// Called by tasks/ (which crops), the loader, calibration and evaluation (how they look). Pure functions.
#pragma once

#include "data/dataset.h"
#include "data/image.h"

namespace hot {

struct CropOptions {
  int width = 0, height = 0;  // of the network's input; crops have its aspect ratio
  // Added to a box above and below, left and right, relative to its height and width. The defaults are those of the
  // code that goes with Chen et al., 2018.
  double margin_y = 0.15, margin_x = 0.1;
};

// The box with its margins, then widened or heightened to the input's aspect ratio; same centre. It may reach outside
// the picture.
Box CropBox(const Box& box, const CropOptions& options);

// One sample for each object that has a labelled keypoint and is no crowd, in the order of pictures and objects. Its id
// is a hash of the picture's and of the object's place in it; it holds that object only.
Dataset ObjectCrops(const Dataset& pictures, const CropOptions& options);

// What the network sees of a sample, in pixels of the annotation: its crop, or the whole picture.
Box ViewOf(const Sample& sample);

// That view of `picture` (the sample's, decoded, of any size), resampled once to width x height, averaging where it
// shrinks by more than 2; `fill` where it reaches outside. Without a crop: ResizeImage().
Image RenderView(const Image& picture, const Sample& sample, int width, int height, const uint8_t fill[3]);

}  // namespace hot
