// What every data set has that a reader of annotations gives back, whatever the file said.
#pragma once

#include "core/error.h"
#include "core/utf8.h"
#include "data/dataset.h"

namespace hot {

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
