#include "core/text.h"

#include <cctype>

namespace hot {

size_t EditDistance(std::string_view a, std::string_view b) {
  const auto same = [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); };
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

std::optional<std::string> NearestName(std::string_view name, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  size_t best_distance = std::min(name.size(), std::max<size_t>(2, name.size() / 3) + 1);  // more is no typing error
  for (const std::string& one : known) {
    const size_t distance = EditDistance(name, one);
    if (distance < best_distance) best = one, best_distance = distance;
  }
  return best;
}

}  // namespace hot
