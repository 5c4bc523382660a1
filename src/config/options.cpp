#include "config/options.h"

#include <algorithm>
#include <cmath>

#include "config/value.h"
#include "core/text.h"

namespace hot {
namespace {

std::string_view LastComponent(std::string_view name) { return name.substr(name.rfind('.') + 1); }

// Sections count as names too, so that `serach:` finds `search`.
std::vector<std::string> NamesAndSections() {
  std::vector<std::string> names;
  for (const Option& option : AllOptions()) {
    for (size_t dot = option.name.find('.'); dot != std::string::npos; dot = option.name.find('.', dot + 1)) {
      const std::string section = option.name.substr(0, dot);
      if (std::find(names.begin(), names.end(), section) == names.end()) names.push_back(section);
    }
    names.push_back(option.name);
  }
  return names;
}

std::string RangeText(const OptionRange& range, std::string_view noun) {
  const std::string text(noun);
  if (range.above_min && range.min == 0.0 && !range.max) return "a positive " + text;
  if (range.min && range.above_min) {
    return "a " + text + " above " + FormatNumber(*range.min) +
           (range.max ? ", at most " + FormatNumber(*range.max) : "");
  }
  if (range.min && range.max)
    return "a " + text + " from " + FormatNumber(*range.min) + " to " + FormatNumber(*range.max);
  return "a " + text;
}

std::string TextExpected(const Option& option) {
  if (option.identifier) return "a name of letters, digits, '.', '_' and '-'";
  if (option.allowed.empty()) return "text";
  if (option.allowed.size() == 1) return option.allowed[0];
  std::string text = "one of ";
  for (size_t i = 0; i < option.allowed.size(); ++i) text += (i ? ", " : "") + option.allowed[i];
  return text;
}

}  // namespace

std::span<const Option> AllOptions() {
  static const std::vector<Option> kOptions = OptionTable();
  return kOptions;
}

const Option* FindOption(std::string_view name) {
  for (const Option& option : AllOptions()) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

bool IsListOption(const Option& option) {
  return std::visit(
      [](auto field) {
        using T = std::remove_reference_t<decltype(field(std::declval<Study&>()))>;
        return kIsList<T>;
      },
      option.field);
}

std::string ExpectedText(const Option& option) {
  return std::visit(
      [&option](auto field) -> std::string {
        using T = Element<std::remove_reference_t<decltype(field(std::declval<Study&>()))>>;
        if constexpr (std::is_same_v<T, bool>) {
          return "true or false";
        } else if constexpr (std::is_same_v<T, HyperRange>) {
          return "a list, each " + RangeText(option.range, option.whole ? "whole number" : "number") +
                 ", or a range {low, high}";
        } else if constexpr (std::is_same_v<T, Space>) {
          return "slots with choices below them";
        } else if constexpr (std::is_same_v<T, std::string>) {
          return TextExpected(option);
        } else {
          const std::string text = RangeText(option.range, std::is_integral_v<T> ? "whole number" : "number");
          return option.zero_word.empty() ? text : text + " or " + option.zero_word;
        }
      },
      option.field);
}

std::optional<std::string> NearestOption(std::string_view name) {
  std::optional<std::string> best;
  size_t best_distance = std::max<size_t>(2, LastComponent(name).size() / 3) + 1;
  for (const std::string& known : NamesAndSections()) {
    const size_t distance = EditDistance(name, known);
    if (distance < best_distance) best = known, best_distance = distance;
  }
  if (best) return best;
  for (const Option& option : AllOptions()) {
    if (option.name.starts_with(std::string(name) + "_")) return option.name;
  }
  for (const Option& option : AllOptions()) {
    if (EditDistance(LastComponent(name), LastComponent(option.name)) <= 1) return option.name;
  }
  return std::nullopt;
}

}  // namespace hot
