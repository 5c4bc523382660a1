// Private to data/: the keypoints of a COCO category by name, and which of them are wanted in which order. Values.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"

namespace hot {

struct CategoryKeypoints {
  std::vector<std::string> names;             // as in the file
  std::vector<std::pair<int, int>> skeleton;  // bones between them, counted from 0
  std::vector<size_t> order;                  // element i: which of them is wanted as i-th
};

// Fills `order`: all, or those that are `wanted`. Throws Error(kInvalidArgument) at `where` for a wanted name that the
// category lacks.
void ChooseKeypoints(const std::vector<std::string>& wanted, const std::string& category, const std::string& where,
                     CategoryKeypoints* keypoints);

// The wanted keypoints of one annotation; of one that has none, as many that are not labelled. Throws
// Error(kInvalidArgument) at `where` when it has another number than the category.
std::vector<Keypoint> ChosenKeypoints(const std::vector<Keypoint>& all, const CategoryKeypoints& keypoints,
                                      const std::string& where);

// Bones between wanted keypoints, counted in their order.
std::vector<std::pair<int, int>> ChosenSkeleton(const CategoryKeypoints& keypoints);

}  // namespace hot
