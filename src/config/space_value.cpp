#include "config/space_value.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "config/backbone_rules.h"
#include "core/error.h"
#include "core/text.h"

namespace hot {
namespace {

constexpr int kLargestExpansion = 32;
constexpr size_t kMostChoices = 128;  // of a slot
constexpr const char* kDefault = "default";
const std::vector<std::string> kCombined{"block", "kernel", "expansion"};  // keys of a combination

[[noreturn]] void Fail(const std::string& place, const std::string& message, std::string hint = "") {
  throw Error(Code::kInvalidArgument, place, message, std::move(hint));
}

std::string DidYouMean(std::string_view name, const std::vector<std::string>& known) {
  if (const auto nearest = NearestName(name, known)) return "did you mean " + *nearest + "?";
  return "known: " + JoinNames(known);
}

// 0 for anything but the whole text as a number.
int WholeNumberOf(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

struct Names {
  const RawValue& raw;  // the option, for its prefix

  std::string Block(const RawScalar& item) const {
    if (std::ranges::count(BlockNames(), item.text) > 0) return item.text;
    Fail(item.place, raw.prefix + "unknown block " + Quoted(item.text), DidYouMean(item.text, BlockNames()));
  }

  std::string Kernel(const RawScalar& item) const {
    const int kernel = WholeNumberOf(item.text);
    if (kernel >= 3 && kernel <= 11 && kernel % 2 == 1) return std::string("k").append(std::to_string(kernel));
    Fail(item.place, raw.prefix + "expected a kernel of 3, 5, 7, 9 or 11, got " + Quoted(item.text));
  }

  std::string Expansion(const RawScalar& item) const {
    const int expansion = WholeNumberOf(item.text);
    if (expansion >= 1 && expansion <= kLargestExpansion) return std::string("e").append(std::to_string(expansion));
    Fail(item.place, raw.prefix + "expected an expansion from 1 to " + std::to_string(kLargestExpansion) + ", got " +
                         Quoted(item.text));
  }

  // As in kCombined.
  std::string Part(size_t part, const RawScalar& item) const {
    return part == 0 ? Block(item) : part == 1 ? Kernel(item) : Expansion(item);
  }

  // "irb-k3-e6"
  std::string Choice(const RawScalar& item) const {
    const std::string& text = item.text;
    if (text.find('@') != std::string::npos) {
      Fail(item.place, raw.prefix + Quoted(text) + " names a precision", "target.precision is for all choices");
    }
    const size_t first = text.find('-'), second = first == std::string::npos ? first : text.find('-', first + 1);
    if (second == std::string::npos || text[first + 1] != 'k' || text.substr(second + 1, 1) != "e") {
      Fail(item.place, raw.prefix + "expected a choice such as irb-k3-e6, got " + Quoted(text));
    }
    return Block({text.substr(0, first), item.place}) + "-" +
           Kernel({text.substr(first + 2, second - first - 2), item.place}) + "-" +
           Expansion({text.substr(second + 2), item.place});
  }
};

// A value, or a list of them.
std::vector<RawScalar> Scalars(const RawValue& value, const RawValue& raw, const std::string& what) {
  if (value.kind == RawValue::Kind::kScalar) return value.items;
  std::vector<RawScalar> items;
  for (const RawValue& one : value.nested) {
    if (value.kind != RawValue::Kind::kList || one.kind != RawValue::Kind::kScalar) break;
    items.push_back(one.items[0]);
  }
  if (items.empty() || items.size() != value.nested.size()) {
    Fail(value.place, raw.prefix + "expected a list of values for " + what);
  }
  return items;
}

using Parts = std::array<std::vector<std::string>, 3>;  // of names, as in kCombined

std::vector<std::string> EachWithEach(const Parts& parts) {
  std::vector<std::string> choices;
  for (const std::string& block : parts[0]) {
    for (const std::string& kernel : parts[1]) {
      for (const std::string& expansion : parts[2]) choices.push_back(block + "-" + kernel + "-" + expansion);
    }
  }
  return choices;
}

std::vector<std::string> Combinations(const RawValue& map, const Names& names) {
  Parts parts;
  for (size_t i = 0; i < map.keys.size(); ++i) {
    const RawScalar& key = map.keys[i];
    const auto found = std::ranges::find(kCombined, key.text);
    if (found == kCombined.end()) {
      Fail(key.place, names.raw.prefix + "a combination has no " + Quoted(key.text), DidYouMean(key.text, kCombined));
    }
    const auto part = static_cast<size_t>(found - kCombined.begin());
    if (!parts[part].empty()) Fail(key.place, names.raw.prefix + key.text + " is given twice");
    for (const RawScalar& item : Scalars(map.nested[i], names.raw, key.text)) {
      parts[part].push_back(names.Part(part, item));
    }
  }
  for (size_t part = 0; part < parts.size(); ++part) {
    if (parts[part].empty()) Fail(map.place, names.raw.prefix + "a combination needs " + kCombined[part]);
  }
  return EachWithEach(parts);
}

// One item of a slot, appended.
void AddItem(const RawValue& item, const Names& names, std::vector<std::string>& choices) {
  std::vector<std::string> some;
  if (item.kind == RawValue::Kind::kMap) some = Combinations(item, names);
  if (item.kind == RawValue::Kind::kScalar) some.push_back(names.Choice(item.items[0]));
  if (some.empty())
    Fail(item.place, names.raw.prefix + "expected a choice such as irb-k3-e6, or {block, kernel, expansion}");
  for (std::string& choice : some) {
    if (std::ranges::count(choices, choice) > 0) Fail(item.place, names.raw.prefix + choice + " is listed twice");
    choices.push_back(std::move(choice));
    if (choices.size() > kMostChoices) {
      Fail(item.place, names.raw.prefix + "more than " + std::to_string(kMostChoices) + " choices in a slot");
    }
  }
}

// "slot3" and "default" are slots.
void CheckSlotName(const RawScalar& key, const RawValue& raw) {
  if (key.text == kDefault) return;
  std::vector<std::string> known{kDefault};
  for (int slot = 1; slot <= 99; ++slot) known.push_back("slot" + std::to_string(slot));
  if (std::ranges::count(known, key.text) > 0) return;
  Fail(key.place, raw.prefix + "unknown slot " + Quoted(key.text),
       NearestName(key.text, known) ? DidYouMean(key.text, known) : "known: default, slot1, slot2 and so on");
}

}  // namespace

Space CheckedSpace(const RawValue& raw) {
  Space space;
  if (raw.kind == RawValue::Kind::kNothing) return space;
  if (raw.kind != RawValue::Kind::kMap) {
    Fail(raw.place, raw.prefix + "expected slots with choices below them, such as slot2: [irb-k3-e6]");
  }
  const Names names{raw};
  for (size_t i = 0; i < raw.keys.size(); ++i) {
    CheckSlotName(raw.keys[i], raw);
    if (std::ranges::count(space.slots, raw.keys[i].text, &Space::Slot::name) > 0) {
      Fail(raw.keys[i].place, raw.prefix + raw.keys[i].text + " is given twice");
    }
    Space::Slot& slot = space.slots.emplace_back(raw.keys[i].text);
    const RawValue& value = raw.nested[i];
    const bool list = value.kind == RawValue::Kind::kList;
    for (const RawValue& item : list ? std::span(value.nested) : std::span(&value, 1))
      AddItem(item, names, slot.choices);
    if (slot.choices.empty()) Fail(value.place, raw.prefix + slot.name + " has no choice");
  }
  return space;
}

}  // namespace hot
