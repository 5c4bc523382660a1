// hot import MODEL.onnx: a network of the user's own becomes the backbone of studies.
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "core/error.h"
#include "pipeline/import.h"

namespace hot {

namespace {

struct Options {
  ImportRequest request;
  std::vector<int> input;
  std::vector<double> mean, stddev;
  bool json = false;
};

void AddOptions(CLI::App& sub, Options& options) {
  sub.add_option("model", options.request.model, "ONNX file, opset 11 or newer")->required();
  sub.add_option("--out", options.request.out, "folder to write to")->required();
  sub.add_option("--outputs", options.request.outputs, "tensors to end at, instead of the file's outputs")
      ->delimiter(',');
  sub.add_option("--input", options.input, "channels, height and width, where the file leaves them open")
      ->delimiter(',')
      ->expected(3)
      ->check(CLI::Range(1, 1 << 16));
  sub.add_option("--mean", options.mean,
                 "what the network expects of pictures: value = (rgb / 255 - mean) / stddev; default: torchvision's")
      ->delimiter(',')
      ->expected(3);
  sub.add_option("--stddev", options.stddev, "see --mean")->delimiter(',')->expected(3)->check(CLI::PositiveNumber);
  sub.add_flag("--json", options.json, "print what was found as JSON on stdout");
}

ImportRequest RequestOf(const Options& options) {
  ImportRequest request = options.request;
  if (!options.input.empty()) request.input = Shape{options.input[0], options.input[1], options.input[2]};
  if (!options.mean.empty()) std::copy_n(options.mean.begin(), 3, request.mean.begin());
  if (!options.stddev.empty()) std::copy_n(options.stddev.begin(), 3, request.stddev.begin());
  return request;
}

}  // namespace

void AddImportCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();  // shared: CLI11 copies the callback that owns it
  CLI::App* sub = app.add_subcommand("import", "Read an ONNX network, so that a study can search it");
  AddOptions(*sub, *options);
  sub->footer("Example:\n  hot import model.onnx --out imported");
  sub->callback([options, &exit_code] {
    exit_code = RunCommand(options->json, [&](const Context&) {
      const ImportRequest request = RequestOf(*options);
      const Imported imported = ImportNetwork(request);
      std::printf("%s",
                  options->json ? (ImportJson(imported) + "\n").c_str() : ImportText(imported, request.out).c_str());
    });
  });
}

}  // namespace hot
