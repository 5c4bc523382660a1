// Private to data/: COCO detection and keypoint JSON. Boxes are [x, y, width, height] in continuous pixels, so
// [x, x + width) x [y, y + height).
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"

namespace hot {

// What can be given as split: the files with labelled boxes or keypoints.
std::vector<std::string> CocoSplits(const fs::path& root);

struct CocoFile {
  fs::path json;
  fs::path base;  // the folder with annotations/
};
// Throws Error(kNotFound) with the splits there are.
CocoFile FindCocoFile(const DataSource& source);
// Where its pictures may lie, in this order. Folders named like the split come first: pictures of two splits may have
// the same name.
std::vector<fs::path> PictureFolders(const CocoFile& file, const fs::path& root);

// Objects of categories that are not among source.classes are left out; pictures without objects stay.
Dataset ReadCoco(const DataSource& source, std::vector<std::string>* faults = nullptr);

}  // namespace hot
