// Which data set lies in a folder, told from the names of files and folders: format, splits, and what each split is
// for. Called by `hot init`. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"

namespace hot {

struct DataLayout {
  DataFormat format = DataFormat::kVoc;
  std::vector<std::string> splits;  // not empty; "": all of it
};

// Every format that the folder can be read as: VOC, COCO, image folders, in this order. Throws Error(kNotFound) or
// kInvalidArgument, saying what there is instead, when there is none.
std::vector<DataLayout> FindLayouts(const fs::path& root);

struct SplitRoles {
  std::string train, val, test;  // val or test empty: to be taken from train
};

// By their names: "trainval", "instances_train2017", "images/train"; "valid", "dev"; "test". Without a test
// split the validation split is it. Throws Error(kInvalidArgument) when the names do not tell which one to train with.
SplitRoles AssignRoles(const std::vector<std::string>& splits);

}  // namespace hot
