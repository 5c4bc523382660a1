// The study written out again: canonical JSON for hashes, and the reference table for people.
#include <nlohmann/json.hpp>

#include "config/study.h"
#include "config/value.h"
#include "core/error.h"
#include "core/url.h"

namespace hot {
namespace {

using nlohmann::json;  // keys sorted: the text is canonical

json ToJson(const Option& option, Study& study) {
  return std::visit(
      [&](auto field) -> json {
        const auto& value = field(study);
        if constexpr (kIsOptional<std::remove_cvref_t<decltype(value)>>) {
          return value ? json(*value) : json(nullptr);
        } else if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, HyperRange>) {
          if (value.is_range()) return {{"low", value.low}, {"high", value.high}, {"log", value.log}};
          return value.values;
        } else if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, Space>) {
          json slots = json::object();
          for (const Space::Slot& slot : value.slots) slots[slot.name] = slot.choices;
          return slots;
        } else {
          return value;
        }
      },
      option.field);
}

json WholeStudy(Study study) {
  study.run.journal = WithoutPassword(study.run.journal);
  json root;
  for (const Option& option : AllOptions()) {
    json* place = &root;
    std::string_view name = option.name;
    for (size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
      place = &(*place)[std::string(name.substr(0, dot))];
      name.remove_prefix(dot + 1);
    }
    (*place)[std::string(name)] = ToJson(option, study);
  }
  return root;
}

std::string Dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// Without quotation marks.
std::string Plain(const json& value) { return value.is_string() ? value.get<std::string>() : Dump(value); }

std::string DefaultText(const Option& option) {
  if (!option.fallback.empty()) return option.fallback;
  Study defaults;
  const json value = ToJson(option, defaults);
  if (!value.is_array()) return std::string("`").append(Plain(value)).append("`");
  std::string text = "`[";
  for (const json& item : value) text.append(text.size() > 2 ? ", " : "").append(Plain(item));
  return text + "]`";
}

}  // namespace

std::string StudyJson(const Study& study) { return Dump(WholeStudy(study)); }

std::string StudySectionJson(const Study& study, const std::string& section) {
  const json root = WholeStudy(study);
  HOT_ASSERT(root.contains(section));
  return Dump(root[section]);
}

std::string StudyReference() {
  std::string text = "| key | value | default | meaning |\n|---|---|---|---|\n";
  for (const Option& option : AllOptions()) {
    const std::string each = IsListOption(option) ? "list: each " : "";
    text += "| `" + option.name + "` | " + each + ExpectedText(option) + " | " + DefaultText(option) + " | " +
            option.help + " |\n";
  }
  return text;
}

}  // namespace hot
