// For the targets of annotation files: the picture they annotate, and what every data set has that a reader gives back,
// whatever the file said.
#pragma once

#include <vector>

#include "core/utf8.h"
#include "data/dataset.h"
#include "data/image.h"
#include "fuzz_target.h"

namespace hot {

// 8 x 8, black.
inline void WriteSmallPicture(const InputFolder& folder, const fs::path& name) {
  WriteJpeg(folder.Write(name, ""), {.width = 8, .height = 8, .rgb = std::vector<uint8_t>(8 * 8 * 3)});
}

inline void CheckDataset(const Dataset& dataset) {
  for (const Sample& sample : dataset.samples) {
    HOT_ASSERT(sample.width > 0 && sample.height > 0);
    for (const Object& object : sample.objects) {
      HOT_ASSERT(object.label >= 0 && static_cast<size_t>(object.label) < dataset.classes.size());
      HOT_ASSERT(object.box.area() > 0);
      HOT_ASSERT(object.box.x0 >= 0 && object.box.x1 <= sample.width);
      HOT_ASSERT(object.box.y0 >= 0 && object.box.y1 <= sample.height);
    }
  }
  for (const std::string& name : dataset.classes) HOT_ASSERT(Utf8Prefix(name) == name.size());
  for (const std::string& warning : dataset.warnings) HOT_ASSERT(warning.find('\n') == std::string::npos);
}

}  // namespace hot
