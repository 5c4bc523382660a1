// verify_golden [BUNDLE]: replays the golden pairs of the bundle's artifact on this device. Exit code 0 when it
// computes the same numbers.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include "model.h"

// A tensor of a safetensors file: eight bytes of length, a JSON header with each tensor's place, the numbers. Empty
// when it has none of that name.
std::vector<float> TensorOf(const std::string& file, const std::string& name) {
  uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  const std::string header = file.substr(8, length);
  if (length > file.size() - 8) throw std::runtime_error("golden.safetensors is damaged");
  const size_t entry = header.find('"' + name + '"');
  if (entry == std::string::npos) return {};
  const size_t place = header.find('[', header.find("data_offsets", entry)) + 1;
  const size_t begin = std::stoull(header.substr(place)), end = std::stoull(header.substr(header.find(',', place) + 1));
  if (begin > end || end > file.size() - 8 - length) throw std::runtime_error("golden.safetensors is damaged");
  std::vector<float> values((end - begin) / sizeof(float));
  std::memcpy(values.data(), file.data() + 8 + length + begin, end - begin);
  return values;
}

// Largest difference in steps of the output; infinite when the sizes differ.
double Distance(const std::vector<float>& golden, const std::vector<float>& output, double step) {
  if (golden.size() != output.size()) return INFINITY;
  double largest = 0;
  for (size_t i = 0; i < golden.size(); ++i) {
    const double difference = std::abs(golden[i] - output[i]) / step;
    largest = difference <= largest ? largest : difference;  // so written, what is not a number is the largest
  }
  return largest;
}

// Another version may compute other numbers and take another time than those that were measured.
void CheckVersion() {
  const std::string version = Model::Version();
  if (version == network::kRuntimeVersion) return;
  throw std::runtime_error("this runtime is of version " + version + ", the bundle was measured with " +
                           network::kRuntimeVersion + ": install that one");
}

// Whether all outputs of all pairs are near enough.
bool Replay(const std::string& golden, Model& model) {
  int pair = 0;
  bool good = true;
  for (std::vector<float> input; !(input = TensorOf(golden, std::to_string(pair) + ".input")).empty(); ++pair) {
    const Outputs outputs = model.Run(input);
    for (size_t k = 0; k < outputs.size(); ++k) {
      const auto expected = TensorOf(golden, std::to_string(pair) + ".output" + std::to_string(k));
      const double distance = Distance(expected, outputs[k], network::kSteps[k]);
      good = good && distance <= network::kTolerance;
      std::cout << "pair " << pair << ", " << network::kOutputs[k] << ": at most " << distance
                << " steps away, allowed " << network::kTolerance << "\n";
    }
  }
  good = good && pair > 0;
  std::cout << (good ? "verified" : "NOT verified: this device computes other numbers") << ", golden pairs: " << pair
            << "\n";
  return good;
}

int main(int argc, char** argv) try {
  const std::string bundle = argc > 1 ? argv[1] : BUNDLE_FOLDER, file = bundle + "/artifact/golden.safetensors";
  std::ifstream stream(file, std::ios::binary);
  const std::string golden((std::istreambuf_iterator<char>(stream)), {});
  if (golden.size() < 8) throw std::runtime_error(file + ": can't be read");
  CheckVersion();
  Model model(bundle);
  return Replay(golden, model) ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << "error: " << error.what() << "\n";
  return 1;
}
