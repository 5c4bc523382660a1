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

// The annotation files of a split, in the order of its list (else by name). Throws kNotFound with what there is for an
// unknown split and for a listed annotation that is missing. Duplicates are skipped with a warning.
std::vector<VocEntry> FindVocSplit(const DataSource& source, std::vector<std::string>* warnings);

Dataset ReadVoc(const DataSource& source);

}  // namespace hot
