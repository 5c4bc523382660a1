#include "data/keypoints.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string_view>

#include "core/error.h"
#include "data/source_text.h"

namespace hot {
namespace {

bool IsSeparator(char c) { return c == '_' || c == '-' || c == '.' || c == ' '; }

std::string LowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// The same name for the other side, or "" for a name without a side; `from` and `to` are "left" and "right" or back.
std::string OtherSide(const std::string& name, std::string_view from, std::string_view to) {
  if (const size_t at = name.find(from); at != std::string::npos) {
    return std::string(name).replace(at, from.size(), to);
  }
  if (name.size() < 3) return "";
  if (name[0] == from[0] && IsSeparator(name[1])) return to[0] + name.substr(1);
  if (name.back() == from[0] && IsSeparator(name[name.size() - 2])) return name.substr(0, name.size() - 1) + to[0];
  return "";
}

int IndexOf(const std::vector<std::string>& names, const std::string& name, const std::string& where) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw Error(Code::kInvalidArgument, where, "no keypoint \"" + name + "\"", NameHint(name, names));
  }
  return static_cast<int>(found - names.begin());
}

}  // namespace

KeypointPairs MirrorPairs(const std::vector<std::string>& names) {
  std::vector<std::string> lower;
  for (const std::string& name : names) lower.push_back(LowerCase(name));
  KeypointPairs pairs;
  for (size_t i = 0; i < lower.size(); ++i) {
    const std::string other = OtherSide(lower[i], "left", "right");
    const auto found = other.empty() ? lower.end() : std::find(lower.begin(), lower.end(), other);
    if (found != lower.end()) pairs.emplace_back(static_cast<int>(i), static_cast<int>(found - lower.begin()));
  }
  return pairs;
}

KeypointPairs ParseMirrorPairs(const std::vector<std::string>& texts, const std::vector<std::string>& names,
                               const std::string& where) {
  KeypointPairs pairs;
  std::set<int> used;
  for (const std::string& text : texts) {
    const auto [one, other] = ParseNamePair(text, where, "left_eye/right_eye");
    const int first = IndexOf(names, one, where), second = IndexOf(names, other, where);
    if (!used.insert(first).second || !used.insert(second).second) {
      throw Error(Code::kInvalidArgument, where, "\"" + text + "\": a keypoint can be in one pair only");
    }
    pairs.emplace_back(first, second);
  }
  return pairs;
}

}  // namespace hot
