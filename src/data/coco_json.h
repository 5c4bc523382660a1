// Private to data/: walks a COCO file of any size without holding it as a tree: each element of "images", "annotations"
// and "categories" is handed over alone, with its place in the file. One thread.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

#include "data/source_text.h"

namespace hot {

struct CocoElement {
  nlohmann::json value;
  size_t offset = 0;  // of its '{' in the file
};

using CocoVisitor = std::function<void(std::string_view list, CocoElement element)>;

// Calls `visit` in file order, with list "images", "annotations" or "categories". "segmentation" is left out (it is
// most of the file and not used). Throws Error(kInvalidArgument) with line and column for broken JSON or an element
// that is no object.
void WalkCocoJson(std::string_view text, const LineMap& lines, const CocoVisitor& visit);

}  // namespace hot
