// Private to data/: classification sets as folders of pictures, root/SPLIT/CLASS/*.jpg, as torchvision's ImageFolder
// and Keras read them. A picture's one object is the whole picture, with the label of its folder. Called by
// ReadDataset. Thread-safe.
#pragma once

#include "data/dataset.h"

namespace hot {

// What can be given as split: folders with at least two classes' folders, and "" where `root` is one itself.
std::vector<std::string> ImageFolderSplits(const fs::path& root);

// Classes are the split's folders, sorted by name (byte by byte), or `source.classes` in their order; then other
// folders are left out, with a warning unless the classes are those of another data set (`source.shared`). Pictures may
// lie in folders below that of their class; other files, and folders that begin with '.', are no part of the set;
// pictures beside the classes' folders are a warning. No picture is opened: sizes are 1 x 1, hence boxes the unit
// square (the loader scales boxes by the ratio of the sizes).
//
// Throws Error(kNotFound) with the folders there are for an unknown split. Throws Error(kInvalidArgument) for a class
// in `source.classes` that has no folder (one without pictures is a warning; with `source.shared` both are fine), for a
// folder without pictures when the folders are the classes, for one whose name is not UTF-8 text, and for a split
// without a picture.
Dataset ReadImageFolders(const DataSource& source, std::vector<std::string>* faults = nullptr);

}  // namespace hot
