// example PICTURE OUT.png [THRESHOLD [X0 Y0 X1 Y1]]: runs the network on a picture, prints and draws what it finds.
#include <opencv2/imgcodecs.hpp>

#include "model.h"
#include "outputs.h"  // what its outputs mean: Decode(), Draw()
#include "picture.h"  // what it sees: Seen()

// value = (rgb / 255 - mean) / stddev, planes R, G, B.
std::vector<float> InputOf(const cv::Mat& seen) {
  std::vector<float> input;
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < seen.rows * seen.cols; ++i) {
      const float value = seen.at<cv::Vec3b>(i / seen.cols, i % seen.cols)[2 - c] / 255.0f;  // OpenCV: B, G, R
      input.push_back((value - network::kMean[c]) / network::kStddev[c]);
    }
  }
  return input;
}

int main(int argc, char** argv) try {
  if (argc != 3 && argc != 4 && argc != 8)
    throw std::runtime_error("usage: example PICTURE OUT.png [THRESHOLD [X0 Y0 X1 Y1]]");
  cv::Mat picture = cv::imread(argv[1]);
  if (picture.empty()) throw std::runtime_error(std::string(argv[1]) + ": can't be read as a picture");
  cv::Rect2d box(0, 0, picture.cols, picture.rows);
  const auto corner = [&](int i) { return cv::Point2d(std::stod(argv[i]), std::stod(argv[i + 1])); };
  if (argc == 8) box = cv::Rect2d(corner(4), corner(6));
  const Outputs outputs = Model(BUNDLE_FOLDER).Run(InputOf(Seen(picture, box)));
  for (const Found& one : Decode(outputs, argc > 3 ? std::stof(argv[3]) : network::kDrawAbove)) Draw(picture, box, one);
  if (!cv::imwrite(argv[2], picture)) throw std::runtime_error(std::string(argv[2]) + ": can't be written");
} catch (const std::invalid_argument&) {
  std::cerr << "error: the threshold and the box are numbers\n";
  return 1;
} catch (const std::exception& error) {
  std::cerr << "error: " << error.what() << "\n";
  return 1;
}
