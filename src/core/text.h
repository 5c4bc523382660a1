// Small pieces of messages. Pure functions.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace hot {

// "a, b, c" of at most `limit` names, with "and n more" behind.
inline std::string JoinNames(const std::vector<std::string>& names, size_t limit = 12) {
  std::string text;
  for (size_t i = 0; i < std::min(limit, names.size()); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > limit) text += " and " + std::to_string(names.size() - limit) + " more";
  return text;
}

}  // namespace hot
