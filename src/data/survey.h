// What a data set looks like: how many, how large, how the objects lie in the pictures, and which files are broken.
// Called by `hot init`, which derives a study from it. One thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/context.h"
#include "data/dataset.h"

namespace hot {

// 10 %, half and 90 % of the values are not larger.
struct Spread {
  double low = 0, middle = 0, high = 0;
};
Spread SpreadOf(std::vector<double> values);  // zeros without any

struct DataSurvey {
  size_t pictures = 0, objects = 0, crowds = 0;
  size_t without_object = 0;                            // pictures
  std::vector<std::pair<std::string, size_t>> classes;  // with the number of objects of each
  std::vector<std::string> keypoints;                   // names
  size_t with_keypoints = 0;                            // objects
  Spread width, height;                                 // of the pictures that were decoded
  // Objects, without crowds. `side`: of a square of the same area, relative to the picture stretched to a square, which
  // is what a detector sees; `ratio`: longer over shorter side there; `shape`: height over width in the picture.
  Spread side, ratio, shape;
  size_t decoded = 0;
  std::vector<std::string> broken;  // a line each: files that a study would stop at
};

// Reads all annotations, then decodes pictures, in an order that has nothing to do with their names, until all are or
// `most_seconds` are over. Throws what ReadDataset throws for a split that can't be read at all.
DataSurvey SurveyData(const DataSource& source, double most_seconds, const Context& context);

}  // namespace hot
