// What is searched: hyper-parameters, each a list of choices or a range, and points of that space. Values, no sharing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/rng.h"

namespace hot {

using HyperValue = std::variant<double, std::string>;

struct HyperParameter {
  std::string name;                 // "lr"
  std::vector<HyperValue> choices;  // empty: the range below
  double low = 0, high = 0;         // both included; low < high, and 0 < low when `log`
  bool log = false;                 // uniform in the logarithm
  bool integer = false;
};

// Parameters in alphabetical order.
using HyperSpace = std::vector<HyperParameter>;
using HyperPoint = std::map<std::string, HyperValue>;

// A number without an exponent where it is short, a text as it is: "0.0005", "adamw".
std::string ValueText(const HyperValue& value);
// "gamma0.5-lr0.0005": names in alphabetical order; part of a folder name.
std::string PointName(const HyperPoint& point);

// Sampled numbers keep so many significant digits: a learning rate is not known better, and names and reports stay
// readable.
inline constexpr int kSampledDigits = 4;
// `value` as the parameter can take it: rounded (whole when `integer`), and within its range.
double RoundedTo(const HyperParameter& parameter, double value);

// Number of points, or nothing when a parameter is a range.
std::optional<size_t> PointCount(std::span<const HyperParameter> space);
// The `index`-th point of a space of choices, the last parameter changing fastest.
HyperPoint PointAt(std::span<const HyperParameter> space, size_t index);
// Uniform over choices and ranges.
HyperPoint RandomPoint(std::span<const HyperParameter> space, Rng& rng);

}  // namespace hot
