#include "data/colours.h"

#include <cmath>
#include <numbers>

namespace hot {
namespace {

ColourMap Then(const ColourMap& first, const ColourMap& second) {
  ColourMap both;
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 4; ++column) {
      both(row, column) = column == 3 ? second(row, 3) : 0;
      for (int k = 0; k < 3; ++k) both(row, column) += second(row, k) * first(k, column);
    }
  }
  return both;
}

ColourMap Gain(double gain, double offset) { return {gain, 0, 0, offset, 0, gain, 0, offset, 0, 0, gain, offset}; }

// Saturation scales, hue rotates the chroma plane of YIQ (ITU-R BT.470 primaries), which is linear, unlike HSV's.
ColourMap Chroma(double saturation, double hue_degrees) {
  const double angle = hue_degrees * std::numbers::pi / 180;
  const double c = saturation * std::cos(angle), s = saturation * std::sin(angle);
  const cv::Matx33d to_yiq(0.299, 0.587, 0.114, 0.595716, -0.274453, -0.321263, 0.211456, -0.522591, 0.311135);
  const cv::Matx33d turn(1, 0, 0, 0, c, -s, 0, s, c);
  const cv::Matx33d map = to_yiq.inv() * turn * to_yiq;
  return {map(0, 0), map(0, 1), map(0, 2), 0, map(1, 0), map(1, 1), map(1, 2), 0, map(2, 0), map(2, 1), map(2, 2), 0};
}

}  // namespace

ColourMap SampleColours(const AugmentOptions& options, Rng& rng) {
  const bool contrast_first = rng.Chance(0.5);
  const auto draw = [&](double range, double neutral) {
    const double value = rng.Uniform(neutral - range, neutral + range);
    return rng.Chance(0.5) ? value : neutral;
  };
  const ColourMap brightness = Gain(1, 255 * draw(options.brightness, 0));
  const ColourMap contrast = Gain(draw(options.contrast, 1), 0);
  const double saturation = draw(options.saturation, 1);
  const ColourMap chroma = Chroma(saturation, draw(options.hue_degrees, 0));
  return contrast_first ? Then(Then(brightness, contrast), chroma) : Then(Then(brightness, chroma), contrast);
}

}  // namespace hot
