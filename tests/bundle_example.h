// What the tests of bundles do with an example: build it, run it on a picture, read what it prints.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "bundle_fixture.h"
#include "core/rng.h"
#include "data/loader.h"

namespace hot {

class BundleTest : public BundleRun {
 protected:
  // Of what is to be read to understand the example.
  std::ptrdiff_t ExampleLines() const {
    std::ptrdiff_t lines = 0;
    for (const char* file : {"example.cpp", "model.h", "outputs.h", "picture.h"}) {
      const std::string text = ReadFile(Out() / "example" / file);
      lines += std::count(text.begin(), text.end(), '\n');
    }
    return lines;
  }

  ProcessResult Build() const {
    return Shell("cmake -S example -B build " + configuration_ + " && cmake --build build --target example");
  }

  ProcessResult RunExample(const std::string& arguments) const {
    return Shell(emulator_ + "build/example " + arguments);
  }

  // Of an SSD that is built: the example's output of `picture`, line by line. Returns how many boxes there are.
  size_t ExpectTheBoxesThatHotFinds(const fs::path& picture) const;

  // A picture of coloured noise blocks, as PNG: what is decoded is what was written.
  fs::path Picture(int width, int height) const {
    Image picture{.width = width, .height = height, .rgb = {}};
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        Rng rng(static_cast<uint64_t>(y / 8 * 100 + x / 8));
        for (int c = 0; c < 3; ++c) picture.rgb.push_back(static_cast<uint8_t>(rng.Below(256)));
      }
    }
    WritePng(folder_.path() / "picture.png", picture);
    return folder_.path() / "picture.png";
  }

  std::vector<Detection> Expected(const Tensor& input) const {
    return MakeTask(spec_.task)->Decode(MakeDevice("host", 1)->Load(artifact_)->Run(std::span(&input, 1)));
  }

  std::string configuration_ = "-DOpenVINO_DIR=" HOT_OPENVINO_DIR;
  std::string emulator_;  // before the example's name, with a blank at its end
};

struct Line {
  std::string name;
  std::vector<double> numbers;
};

// "name with blanks 0.5 1 2 3 4"
inline std::vector<Line> Lines(const std::string& output, size_t numbers) {
  std::vector<Line> lines;
  std::istringstream stream(output);
  for (std::string text; std::getline(stream, text);) {
    Line line;
    for (size_t i = 0; i < numbers; ++i) {
      const size_t blank = text.rfind(' ');
      line.numbers.insert(line.numbers.begin(), std::stod(text.substr(blank + 1)));
      text.resize(blank);
    }
    line.name = text;
    lines.push_back(line);
  }
  return lines;
}

inline size_t BundleTest::ExpectTheBoxesThatHotFinds(const fs::path& picture) const {
  const ProcessResult ran = RunExample(picture.string() + " out.png 0.3 2>errors.txt");
  EXPECT_TRUE(ran.status.ok()) << ReadFile(Out() / "errors.txt");
  const Image image = DecodeImage(picture);
  const Shape& shape = spec_.task.input;
  Tensor input({1, shape.c, shape.h, shape.w});
  ToInput(image, artifact_.preprocessing, input.data.data());
  const std::vector<Detection> expected = Expected(input);
  const std::vector<Line> lines = Lines(ran.output, 5);
  EXPECT_EQ(lines.size(), expected.size());
  for (size_t i = 0; i < std::min(lines.size(), expected.size()); ++i) {
    const Detection& d = expected[i];
    const double w = 1.0 * image.width / shape.w, h = 1.0 * image.height / shape.h;
    EXPECT_EQ(lines[i].name, spec_.task.classes[static_cast<size_t>(d.label)]);
    EXPECT_NEAR(lines[i].numbers[0], d.score, 1e-4);
    const double sides[] = {d.box.x0 * w, d.box.y0 * h, d.box.x1 * w, d.box.y1 * h};
    for (size_t k = 0; k < 4; ++k) EXPECT_NEAR(lines[i].numbers[k + 1], sides[k], 0.01) << i;
  }
  EXPECT_EQ(DecodeImage(Out() / "out.png").width, image.width);
  return lines.size();
}

}  // namespace hot
