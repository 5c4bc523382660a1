#include "data/source_text.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "core/error.h"
#include "core/text.h"

namespace hot {
namespace {

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      const size_t changed = diagonal + (std::tolower(a[i - 1]) == std::tolower(b[j - 1]) ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + 1, changed});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

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
  size_t best = std::min(name.size(), std::max<size_t>(name.size() / 3, 2) + 1);  // from here on it is no typing error
  const std::string* nearest = nullptr;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(name, candidate);
    if (distance < best) {
      best = distance;
      nearest = &candidate;
    }
  }
  if (nearest != nullptr) return "did you mean \"" + *nearest + "\"?";
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
