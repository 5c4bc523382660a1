#include "data/source_text.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace hot {

std::string LineMap::At(size_t offset) const {
  if (line_starts_.empty()) {
    line_starts_.push_back(0);
    for (size_t at = text_.find('\n'); at != std::string_view::npos; at = text_.find('\n', at + 1)) {
      line_starts_.push_back(at + 1);
    }
  }
  offset = std::min(offset, text_.size());
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const size_t column = offset - *(next - 1) + 1;
  return file_ + ":" + std::to_string(next - line_starts_.begin()) + ":" + std::to_string(column);
}

std::string NameHint(std::string_view name, const std::vector<std::string>& candidates) {
  if (const auto nearest = NearestName(name, candidates)) return "did you mean \"" + *nearest + "\"?";
  return candidates.empty() ? "" : "known: " + JoinNames(candidates);
}

std::pair<std::string, std::string> ParseNamePair(const std::string& text, const std::string& where,
                                                  const std::string& example) {
  const size_t slash = text.find('/');
  if (slash == 0 || slash == std::string::npos || slash + 1 == text.size()) {
    throw Error(Code::kInvalidArgument, where, "\"" + text + "\" is no pair", "write it like " + example);
  }
  return {text.substr(0, slash), text.substr(slash + 1)};
}

const char* BoxFault(const Box& box) {
  if (box.x1 < box.x0 || box.y1 < box.y0) return "inverted";
  return box.x1 == box.x0 || box.y1 == box.y0 ? "degenerate (no area)" : nullptr;
}

const char* ClipBox(int width, int height, Box* box) {
  if (const char* fault = BoxFault(*box)) return fault;
  box->x0 = std::max(box->x0, 0.0);
  box->y0 = std::max(box->y0, 0.0);
  box->x1 = std::min(box->x1, static_cast<double>(width));
  box->y1 = std::min(box->y1, static_cast<double>(height));
  return box->area() > 0 ? nullptr : "wholly outside the picture";
}

}  // namespace hot
