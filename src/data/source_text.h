// Private to data/: turns byte offsets of an annotation file into "file:line:column", finds the nearest known name for
// a hint, and takes pairs of names apart. Used by the readers of annotations and of a study's names. LineMap: one
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/files.h"
#include "data/dataset.h"

namespace hot {

class LineMap {
 public:
  // `text` must outlive the map.
  LineMap(const fs::path& file, std::string_view text) : file_(file.string()), text_(text) {}

  // "file:line:column", both from 1, columns in bytes. Offsets behind the end mean the end.
  std::string At(size_t offset) const;

 private:
  std::string file_;
  std::string_view text_;
  mutable std::vector<size_t> line_starts_;  // filled on first use: most files are faultless
};

// `did you mean "x"?` when a candidate is close, else `known: a, b, c` (at most a dozen), else "".
std::string NameHint(std::string_view name, const std::vector<std::string>& candidates);

// Both names of "ONE/OTHER". Throws Error(kInvalidArgument) at `where` for another form; `example` shows the right one.
std::pair<std::string, std::string> ParseNamePair(const std::string& text, const std::string& where,
                                                  const std::string& example);

// Why a box as written is useless: "inverted", "degenerate (no area)", or nullptr when it is not.
const char* BoxFault(const Box& box);

// Clips a half-open box to the picture. Returns why it is useless (BoxFault, or wholly outside), or nullptr.
const char* ClipBox(int width, int height, Box* box);

}  // namespace hot
