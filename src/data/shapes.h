// A synthetic, cluttered data set (`hot data make shapes`): pictures with overlapping circles, squares and triangles
// over textured noise, written as a VOC folder, as COCO JSON with boxes and keypoints, and as folders of cut-outs by
// class.
#pragma once

#include <cstdint>

#include "core/context.h"
#include "core/files.h"

namespace hot {

struct ShapesOptions {
  int train_pictures = 320;
  int test_pictures = 100;
  int width = 192, height = 160;
  uint64_t seed = 0;
};

// Writes root/{Annotations,JPEGImages,ImageSets/Main/{trainval,test}.txt}, root/annotations/{trainval,test}.json (COCO;
// triangles carry 3 keypoints, squares 4, circles 1, padded to 4 with visibility 0), and each object with a margin of a
// tenth as root/cutouts/{trainval,test}/CLASS/*.jpg. Same seed, same bytes.
void WriteShapes(const fs::path& root, const ShapesOptions& options, const Context& context);

}  // namespace hot
