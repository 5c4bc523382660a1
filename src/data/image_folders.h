// Private to data/: classification sets as folders of pictures, root/SPLIT/CLASS/*.jpg (as torchvision's ImageFolder
// and Keras read them). A picture's one object is the whole picture, with the label of its folder.
#pragma once

#include "data/dataset.h"

namespace hot {

// Classes are the split's folders, sorted by name, unless `source.classes` says which (others are left out). Folders
// that begin with '.' are no classes; files that are no pictures are left out, pictures directly in the split are a
// warning. Throws Error(kNotFound) with the splits there are for an unknown one, Error(kInvalidArgument) for a class
// that is asked for and not there, and for a split without a picture.
Dataset ReadImageFolders(const DataSource& source);

}  // namespace hot
