#include "core/read_json.h"

#include <algorithm>

namespace hot {
namespace {

// Where a string that begins before `at` ends, behind its quotes.
size_t EndOfString(std::string_view json, size_t at) {
  while (at < json.size() && json[at] != '"') at += json[at] == '\\' ? 2 : 1;
  return at + 1;
}

}  // namespace

int NestingDepth(std::string_view json) {
  int depth = 0, deepest = 0;
  for (size_t at = 0; at < json.size();) {
    const char c = json[at++];
    if (c == '"') {
      at = EndOfString(json, at);
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

}  // namespace hot
