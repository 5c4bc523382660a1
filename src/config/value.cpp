#include "config/value.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "config/space_value.h"
#include "core/error.h"

namespace hot {
namespace {

std::string Got(const RawValue& raw) {
  switch (raw.kind) {
    case RawValue::Kind::kNothing:
      return "nothing";
    case RawValue::Kind::kList:
      return "a list";
    case RawValue::Kind::kMap:
      return "a section";
    case RawValue::Kind::kScalar:
      break;
  }
  return Quoted(raw.items[0].text);
}

[[noreturn]] void Fail(const std::string& place, const std::string& message, std::string hint = "") {
  throw Error(Code::kInvalidArgument, place, message, std::move(hint));
}

bool InRange(const OptionRange& range, double value) {
  if (range.min && (range.above_min ? value <= *range.min : value < *range.min)) return false;
  return !range.max || value <= *range.max;
}

// Strict: the whole text, finite.
template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) return std::nullopt;
  }
  return value;
}

std::optional<bool> ParseBool(const std::string& text) {
  if (text == "true" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "no" || text == "off") return false;
  return std::nullopt;
}

bool IsIdentifier(const std::string& text) {
  const auto good = [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= 100 && text[0] != '.' && text[0] != '-' && std::ranges::all_of(text, good);
}

bool TextAllowed(const Option& option, const std::string& text) {
  if (option.identifier) return IsIdentifier(text);
  constexpr std::string_view kRest = "...";
  return option.allowed.empty() || std::ranges::any_of(option.allowed, [&](std::string_view known) {
           const bool prefix = known.ends_with(kRest);
           return prefix ? text.starts_with(known.substr(0, known.size() - kRest.size())) : text == known;
         });
}

template <typename T>
std::optional<T> ParseElement(const Option& option, const std::string& text) {
  if constexpr (std::is_same_v<T, bool>) {
    return ParseBool(text);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return TextAllowed(option, text) ? std::optional(text) : std::nullopt;
  } else {
    if (!option.zero_word.empty() && text == option.zero_word) return T{0};
    const std::optional<T> value = ParseNumber<T>(text);
    return value && InRange(option.range, static_cast<double>(*value)) ? value : std::nullopt;
  }
}

template <typename T>
T CheckedElement(const Option& option, const RawValue& raw, const RawScalar& item) {
  std::optional<T> value = ParseElement<T>(option, item.text);
  if (!value) Fail(item.place, raw.prefix + "expected " + ExpectedText(option) + ", got " + Quoted(item.text));
  return *std::move(value);
}

std::string CountText(const Option& option) {
  if (option.min_count == option.max_count) return std::to_string(option.min_count) + " values";
  return std::to_string(option.min_count) + " to " + std::to_string(option.max_count) + " values";
}

void CheckListShape(const Option& option, const RawValue& raw) {
  if (raw.kind == RawValue::Kind::kNothing || raw.kind == RawValue::Kind::kMap) {
    Fail(raw.place, raw.prefix + "expected a list, got " + Got(raw));
  }
  const size_t count = raw.items.size();
  if (count == 1 && option.repeat_single) return;
  if (count < option.min_count || count > option.max_count) {
    Fail(raw.place, raw.prefix + "expected " + CountText(option) + ", got " + std::to_string(count));
  }
}

template <typename T>
std::vector<T> CheckedList(const Option& option, const RawValue& raw) {
  CheckListShape(option, raw);
  std::vector<T> values;
  for (const RawScalar& item : raw.items) {
    T value = CheckedElement<T>(option, raw, item);
    const bool twice = !option.repeat_single && !option.may_repeat && std::ranges::find(values, value) != values.end();
    if (twice) Fail(item.place, raw.prefix + Quoted(item.text) + " is listed twice");
    values.push_back(std::move(value));
  }
  if (option.repeat_single && values.size() == 1) values.resize(option.max_count, T(values[0]));
  return values;
}

const RawScalar* FindKey(const RawValue& raw, std::string_view key) {
  const auto found = std::ranges::find(raw.keys, key, &RawScalar::text);
  return found == raw.keys.end() ? nullptr : &raw.items[static_cast<size_t>(found - raw.keys.begin())];
}

double CheckedNumber(const Option& option, const RawValue& raw, const RawScalar& item) {
  const std::optional<double> value = ParseNumber<double>(item.text);
  if (!value || !InRange(option.range, *value) || (option.whole && *value != std::floor(*value))) {
    Fail(item.place, raw.prefix + "expected " + ExpectedText(option) + ", got " + Quoted(item.text));
  }
  return *value;
}

void CheckRangeKeys(const RawValue& raw) {
  for (size_t i = 0; i < raw.keys.size(); ++i) {
    const std::string& key = raw.keys[i].text;
    if (key != "low" && key != "high" && key != "log") {
      Fail(raw.items[i].place, raw.prefix + "a range has no " + Quoted(key), "known: low, high, log");
    }
  }
}

// {low: 1e-4, high: 1e-2, log: true}
HyperRange CheckedRange(const Option& option, const RawValue& raw) {
  CheckRangeKeys(raw);
  const RawScalar *low = FindKey(raw, "low"), *high = FindKey(raw, "high"), *log = FindKey(raw, "log");
  if (low == nullptr || high == nullptr) Fail(raw.place, raw.prefix + "a range needs low and high");
  HyperRange range{.low = CheckedNumber(option, raw, *low), .high = CheckedNumber(option, raw, *high)};
  if (range.low >= range.high) Fail(high->place, raw.prefix + "high must be above low, got " + Quoted(high->text));
  const std::optional<bool> given = log == nullptr ? option.log : ParseBool(log->text);
  if (!given) Fail(log->place, raw.prefix + "expected log to be true or false, got " + Quoted(log->text));
  range.log = *given;
  if (range.log && range.low <= 0) {
    Fail(low->place, raw.prefix + "a logarithmic range can't begin at 0", "choose a small number, or log: false");
  }
  return range;
}

HyperRange CheckedHyper(const Option& option, const RawValue& raw) {
  if (raw.kind == RawValue::Kind::kMap) return CheckedRange(option, raw);
  CheckListShape(option, raw);
  HyperRange choices;
  for (const RawScalar& item : raw.items) {
    const double value = CheckedNumber(option, raw, item);
    const bool twice = std::ranges::find(choices.values, value) != choices.values.end();
    if (twice) Fail(item.place, raw.prefix + Quoted(item.text) + " is listed twice");
    choices.values.push_back(value);
  }
  return choices;
}

}  // namespace

std::string Quoted(const std::string& text) {
  std::string out;
  for (const char c : text.substr(0, 60)) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return '"' + out + (text.size() > 60 ? "...\"" : "\"");
}

std::string FormatNumber(double value) {
  const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
  char buffer[32];
  char* const last = buffer + sizeof(buffer);
  const auto result =
      whole ? std::to_chars(buffer, last, static_cast<int64_t>(value)) : std::to_chars(buffer, last, value);
  return std::string(buffer, result.ptr);
}

void StoreOption(const Option& option, const RawValue& raw, Study& study) {
  std::visit(
      [&](auto field) {
        auto& target = field(study);
        using T = std::remove_reference_t<decltype(target)>;
        if constexpr (std::is_same_v<T, HyperRange>) {
          target = CheckedHyper(option, raw);
        } else if constexpr (std::is_same_v<T, Space>) {
          target = CheckedSpace(raw);
        } else if constexpr (kIsList<T>) {
          target = CheckedList<Element<T>>(option, raw);
        } else if (kIsOptional<T> && raw.kind == RawValue::Kind::kNothing) {
          target = T{};  // `latency_ms:` and `--set search.latency_ms=` take a budget away
        } else {
          if (raw.kind != RawValue::Kind::kScalar) {
            Fail(raw.place, raw.prefix + "expected " + ExpectedText(option) + ", got " + Got(raw));
          }
          target = CheckedElement<Element<T>>(option, raw, raw.items[0]);
        }
      },
      option.field);
}

}  // namespace hot
