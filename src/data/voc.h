// Private to data/: Pascal VOC reading. VOC counts pixels from 1 and includes both ends, so a box becomes
// [xmin - 1, xmax) x [ymin - 1, ymax). A box with xmax <= xmin is degenerate: labelling tools write it for a click
// without a drag, and nobody labels one column of pixels.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"

namespace hot {

struct VocEntry {
  fs::path xml;
  std::string name;                       // for messages and the sample's id: the name in the split
  std::vector<fs::path> picture_folders;  // searched in this order
};

// The annotation files of a split, in the order of its list (else by name). FOLDER/NAME is the split NAME of the data
// set in a folder below root. Of A+B ("VOC2007/trainval+VOC2012/trainval") those of A come first, then what only B has,
// each with its part in front of its name. Throws kNotFound with what there is for an unknown split and for a listed
// annotation that is missing, kInvalidArgument for a part that is empty or named twice. Duplicates are skipped with a
// warning.
std::vector<VocEntry> FindVocSplit(const DataSource& source, std::vector<std::string>* warnings);

// What can be given as split: lists in ImageSets/Main, folders with annotations, and "" where a folder has all.
std::vector<std::string> VocSplits(const fs::path& root);

Dataset ReadVoc(const DataSource& source, std::vector<std::string>* faults = nullptr);

}  // namespace hot
