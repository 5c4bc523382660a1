// The option records: one row an option of the study file. The YAML reader, --set, the canonical JSON and the reference
// page in docs/formats/study.md all come from this table, so an option is written down once (and once in study.h).
// Called by this module, and by the CLI for help texts. Thread rule: immutable after the first call.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/study.h"

namespace hot {

// How to reach an option's value inside a study; the alternative is the option's type.
using OptionField = std::variant<bool& (*)(Study&), int& (*)(Study&), int64_t& (*)(Study&), double& (*)(Study&),
                                 std::optional<double>& (*)(Study&), std::string& (*)(Study&),
                                 std::vector<int64_t>& (*)(Study&), std::vector<double>& (*)(Study&),
                                 std::vector<std::string>& (*)(Study&), HyperRange& (*)(Study&), Space& (*)(Study&)>;

// What numbers are accepted: from `min` to `max`, both unbounded when unset; `above_min` excludes `min` itself.
struct OptionRange {
  std::optional<double> min, max;
  bool above_min = false;
};

struct Option {
  std::string name;  // "search.latency_ms"
  OptionField field;
  std::string help;      // one sentence, Markdown
  std::string fallback;  // shown as default where the value itself says too little ("none", "all in train")
  OptionRange range{};   // numbers and lists of numbers
  std::vector<std::string> allowed{};    // text and lists of text; empty: anything. One that ends in "..." is a prefix
  size_t min_count = 1, max_count = 64;  // lists
  bool repeat_single = false;            // a single number stands for max_count equal ones (input: 320)
  bool may_repeat = false;               // lists: equal values are no mistake
  bool identifier = false;               // text that becomes a file name: letters, digits, '.', '_', '-'
  std::string zero_word{};               // a word that is written for 0 ("auto")
  bool whole = false, log = false;       // hyper-parameters: whole numbers; `log` where a range doesn't say
};

// The rows, made anew; AllOptions() keeps them.
std::vector<Option> OptionTable();

// In the order of study.h.
std::span<const Option> AllOptions();

// Null when there is none of that name.
const Option* FindOption(std::string_view name);

bool IsListOption(const Option& option);

// What a value has to be, without article of a sentence: "a number above 0, at most 1", "one of accuracy, latency".
std::string ExpectedText(const Option& option);

// The option whose name is most like `name` (edit distance, a longer name that begins so, or
// the same last component in another section), if any is
// near enough to be what was meant.
std::optional<std::string> NearestOption(std::string_view name);

}  // namespace hot
