#include "data/coco_keypoints.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "data/source_text.h"

namespace hot {

void ChooseKeypoints(const std::vector<std::string>& wanted, const std::string& category, const std::string& where,
                     CategoryKeypoints* keypoints) {
  keypoints->order.resize(keypoints->names.size());
  std::iota(keypoints->order.begin(), keypoints->order.end(), size_t{0});
  if (wanted.empty() || keypoints->names.empty()) return;
  keypoints->order.clear();
  for (const std::string& name : wanted) {
    const auto found = std::find(keypoints->names.begin(), keypoints->names.end(), name);
    if (found == keypoints->names.end()) {
      throw Error(Code::kInvalidArgument, where, "category \"" + category + "\" has no keypoint \"" + name + "\"",
                  NameHint(name, keypoints->names));
    }
    keypoints->order.push_back(static_cast<size_t>(found - keypoints->names.begin()));
  }
}

std::vector<Keypoint> ChosenKeypoints(const std::vector<Keypoint>& all, const CategoryKeypoints& keypoints,
                                      const std::string& where) {
  if (all.empty()) return std::vector<Keypoint>(keypoints.order.size());
  if (all.size() != keypoints.names.size()) {
    throw Error(Code::kInvalidArgument, where,
                "annotations: \"keypoints\": " + std::to_string(all.size()) + " of them, its category has " +
                    std::to_string(keypoints.names.size()));
  }
  std::vector<Keypoint> chosen;
  for (const size_t index : keypoints.order) chosen.push_back(all[index]);
  return chosen;
}

std::vector<std::pair<int, int>> ChosenSkeleton(const CategoryKeypoints& keypoints) {
  std::vector<int> place(keypoints.names.size(), -1);
  for (size_t i = 0; i < keypoints.order.size(); ++i) place[keypoints.order[i]] = static_cast<int>(i);
  std::vector<std::pair<int, int>> bones;
  for (const auto& [a, b] : keypoints.skeleton) {
    const int first = place[static_cast<size_t>(a)], second = place[static_cast<size_t>(b)];
    if (first >= 0 && second >= 0) bones.emplace_back(first, second);
  }
  return bones;
}

}  // namespace hot
