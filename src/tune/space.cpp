#include "tune/space.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/error.h"

namespace hot {
namespace {

HyperValue RandomValue(const HyperParameter& parameter, Rng& rng) {
  if (!parameter.choices.empty()) {
    return parameter.choices[static_cast<size_t>(rng.Below(std::ssize(parameter.choices)))];
  }
  if (parameter.log) {
    return RoundedTo(parameter, std::exp(rng.Uniform(std::log(parameter.low), std::log(parameter.high))));
  }
  return RoundedTo(parameter, rng.Uniform(parameter.low, parameter.high));
}

}  // namespace

std::string ValueText(const HyperValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const double number = std::get<double>(value);
  char buffer[64];
  const auto format = number != 0 && std::abs(number) < 1e-6 ? std::chars_format::scientific : std::chars_format::fixed;
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, number, format).ptr};
}

std::string PointName(const HyperPoint& point) {
  std::string name;
  for (const auto& [parameter, value] : point) name += (name.empty() ? "" : "-") + parameter + ValueText(value);
  return name;
}

double RoundedTo(const HyperParameter& parameter, double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*e", kSampledDigits - 1, value);
  const double rounded = parameter.integer ? std::round(value) : std::strtod(text, nullptr);
  return std::clamp(rounded, parameter.low, parameter.high);
}

std::optional<size_t> PointCount(std::span<const HyperParameter> space) {
  size_t count = 1;
  for (const HyperParameter& parameter : space) {
    if (parameter.choices.empty()) return std::nullopt;
    count *= parameter.choices.size();
  }
  return count;
}

HyperPoint PointAt(std::span<const HyperParameter> space, size_t index) {
  HyperPoint point;
  for (auto parameter = space.rbegin(); parameter != space.rend(); ++parameter) {
    HOT_ASSERT(!parameter->choices.empty());
    point[parameter->name] = parameter->choices[index % parameter->choices.size()];
    index /= parameter->choices.size();
  }
  return point;
}

HyperPoint RandomPoint(std::span<const HyperParameter> space, Rng& rng) {
  HyperPoint point;
  for (const HyperParameter& parameter : space) point[parameter.name] = RandomValue(parameter, rng);
  return point;
}

}  // namespace hot
