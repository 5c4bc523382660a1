#include "config/study_file.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <vector>

#include "config/options.h"
#include "core/error.h"

namespace hot {
namespace {

using nlohmann::json;

constexpr size_t kCommentColumn = 40;

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// Text that YAML reads as the same text without quotation marks. Numbers and words such as "no" are not among them.
bool IsPlain(const std::string& text) {
  const auto is_fine = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '/' || c == '.' || c == '-';
  };
  constexpr std::string_view kWords[] = {"yes", "no", "on", "off", "true", "false", "null", "y", "n"};
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) != 0 || text[0] == '/') &&
         std::ranges::all_of(text, is_fine) && std::ranges::count(kWords, lower) == 0;
}

std::string ValueText(const json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return IsPlain(text) ? text : value.dump();
  }
  if (!value.is_array()) return value.dump();
  if (value.size() == 1) return ValueText(value[0]);
  std::string text = "[";
  for (const json& item : value) text += (text.size() > 1 ? ", " : "") + ValueText(item);
  return text + "]";
}

std::string WithComment(std::string line, const std::string& comment) {
  if (comment.empty()) return line;
  line.resize(std::max(line.size() + 2, kCommentColumn), ' ');
  return line + "# " + comment;
}

// The headers of sections that begin with this key.
std::string Headers(const std::vector<std::string>& before, const std::vector<std::string>& now) {
  std::string text;
  bool is_new = false;
  for (size_t depth = 0; depth + 1 < now.size(); ++depth) {
    is_new = is_new || depth + 1 >= before.size() || before[depth] != now[depth];
    if (!is_new) continue;
    if (depth == 0) text += "\n";
    text += std::string(2 * depth, ' ') + now[depth] + ":\n";
  }
  return text;
}

}  // namespace

std::string StudyFile(const Study& study, const std::string& title, std::span<const StudyLine> lines) {
  const json values = json::parse(StudyJson(study));
  std::string text;
  if (!title.empty()) {
    for (const std::string& line : Split(title, '\n')) text += "# " + line + "\n";
  }
  std::vector<std::string> before;
  for (const StudyLine& line : lines) {
    HOT_ASSERT(FindOption(line.key) != nullptr);
    const std::vector<std::string> now = Split(line.key, '.');
    text += Headers(before, now);
    std::string pointer;
    for (const std::string& part : now) pointer += "/" + part;
    const std::string value = line.idle.empty() ? ValueText(values.at(json::json_pointer(pointer))) : line.idle;
    const std::string indent(2 * (now.size() - 1), ' ');
    text += WithComment(indent + (line.idle.empty() ? "" : "# ") + now.back() + ": " + value, line.reason) + "\n";
    before = now;
  }
  return text;
}

}  // namespace hot
