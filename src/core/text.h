// Small pieces of messages. Pure functions.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hot {

// "a, b, c" of at most `limit` names, with "and n more" behind.
inline std::string JoinNames(const std::vector<std::string>& names, size_t limit = 12) {
  std::string text;
  for (size_t i = 0; i < std::min(limit, names.size()); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > limit) text += " and " + std::to_string(names.size() - limit) + " more";
  return text;
}

// Levenshtein distance, not counting capitals.
size_t EditDistance(std::string_view a, std::string_view b);

// The one of `known` that is most like `name`, if any is near enough to be what was meant.
std::optional<std::string> NearestName(std::string_view name, const std::vector<std::string>& known);

}  // namespace hot
