// example PICTURE OUT.png [THRESHOLD [X0 Y0 X1 Y1]]: runs the network on a picture, prints and draws what it finds.
// A pose is that of the object in the box, by default the whole picture.
#include <opencv2/imgcodecs.hpp>

#include "model.h"
#include "outputs.h"  // what its outputs mean: ViewOf(), Decode(), Draw()

// What the network sees: the view, the mean colour where it leaves the picture, resized to the network's input;
// value = (rgb / 255 - mean) / stddev, planes R, G, B.
std::vector<float> InputOf(const cv::Mat& picture, const cv::Rect& view) {
  const float* mean = network::kMean;
  cv::Mat seen(view.size(), CV_8UC3, cv::Scalar(255 * mean[2], 255 * mean[1], 255 * mean[0])), sampled;
  const cv::Rect part = view & cv::Rect(0, 0, picture.cols, picture.rows);
  picture(part).copyTo(seen(part - view.tl()));
  const bool shrinks = seen.cols > 2 * network::kWidth || seen.rows > 2 * network::kHeight;
  const cv::Size size(network::kWidth, network::kHeight);
  cv::resize(seen, sampled, size, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  std::vector<float> input;
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < size.area(); ++i) {
      const float value = sampled.at<cv::Vec3b>(i / size.width, i % size.width)[2 - c] / 255.0f;  // OpenCV: B, G, R
      input.push_back((value - mean[c]) / network::kStddev[c]);
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
  const cv::Rect view = ViewOf(box);
  Model model(BUNDLE_FOLDER "/artifact/model.onnx");
  const Outputs outputs = model.Run(InputOf(picture, view));
  for (const Found& one : Decode(outputs, argc > 3 ? std::stof(argv[3]) : network::kDrawAbove))
    Draw(picture, view, one);
  if (!cv::imwrite(argv[2], picture)) throw std::runtime_error(std::string(argv[2]) + ": can't be written");
} catch (const std::exception& error) {
  std::cerr << "error: " << error.what() << "\n";
  return 1;
}
