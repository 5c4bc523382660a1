// A value as written by the user, before it is known to be right, and the step that checks it against its option record
// and stores it in the study. Private to this module. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/options.h"

namespace hot {

inline constexpr int kStudyVersion = 1;

struct RawScalar {
  std::string text;
  std::string place;  // where it stands: "study.yaml:3:8" or "--set data.root"
};

struct RawValue {
  enum class Kind { kNothing, kScalar, kList, kMap };
  Kind kind = Kind::kNothing;
  std::vector<RawScalar> items;    // one for a scalar
  std::vector<RawScalar> keys{};   // of a map, beside its items
  std::vector<RawValue> nested{};  // of a map or list that may hold others (model.space), instead of items
  std::string place;
  std::string prefix;  // "search.latency_ms: ", or empty where `place` names the option already
};

// Checks and stores. Throws Error(kInvalidArgument) at the offending item.
void StoreOption(const Option& option, const RawValue& raw, Study& study);

// Between quotation marks; long values are cut so that a message stays one line.
std::string Quoted(const std::string& text);

// Shortest usual form: 0.5, 30, 0.0005.
std::string FormatNumber(double value);

template <typename T>
struct ElementOf {
  using type = T;
};
template <typename T>
struct ElementOf<std::vector<T>> {
  using type = T;
};
template <typename T>
struct ElementOf<std::optional<T>> {
  using type = T;
};
template <typename T>
using Element = typename ElementOf<T>::type;

template <typename T>
inline constexpr bool kIsList = false;
template <typename T>
inline constexpr bool kIsList<std::vector<T>> = true;
template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

}  // namespace hot
