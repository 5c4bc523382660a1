// hot export RUN: a trained network for other tools.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "pipeline/export.h"

namespace hot {

namespace {

void AddOptions(CLI::App& sub, ExportRequest& request) {
  sub.add_option("run", request.run, "run folder")->required();
  sub.add_option("--candidate", request.network,
                 "id of a network or its beginning; baseline; accuracy or latency for a winner")
      ->capture_default_str();
  sub.add_option(
         "--format", request.format,
         "bundle: the compiled artifact with a C++ example that runs it; pytorch: a readable module and its weights; "
         "safetensors: the weights; onnx: float32")
      ->capture_default_str();
  sub.add_option("--precision", request.precision,
                 "of a bundle's artifact; default: the first of the study's target.precision");
  sub.add_option("--isa", request.isa,
                 "of a bundle of toolchain tvm: compile it for a board (aarch64-dotprod, aarch64-neon, x86-64-avx2); "
                 "default: the artifact as it was measured");
  sub.add_option("--out", request.out, "folder to write to")->required();
}

}  // namespace

void AddExportCommand(CLI::App& app, int& exit_code) {
  struct Options {
    ExportRequest request;
    bool json = false;
  };
  auto options = std::make_shared<Options>();  // shared: CLI11 copies the callback that owns it
  options->request.network = "baseline";
  options->request.format = "bundle";
  CLI::App* sub = app.add_subcommand("export", "Write a trained network for other tools");
  AddOptions(*sub, options->request);
  sub->add_flag("--json", options->json, "print what was written as JSON on stdout");
  sub->footer(
      "Example:\n  hot export runs/quickstart --candidate latency --out bundle\n"
      "  hot export runs/quickstart --candidate accuracy --format pytorch --out exported");
  sub->callback([options, &exit_code] {
    exit_code = RunCommand(options->json, [&](const Context&) {
      const Exported exported = ExportNetwork(options->request);
      nlohmann::ordered_json files = nlohmann::ordered_json::array();
      for (const fs::path& file : exported.files) {
        files.push_back(file.string());
        if (!options->json) std::printf("%s\n", file.string().c_str());
      }
      if (!options->json) return;
      const nlohmann::ordered_json result{
          {"version", 1}, {"id", exported.id}, {"trial", exported.trial}, {"files", files}};
      std::printf("%s\n", result.dump(1).c_str());
    });
  });
}

}  // namespace hot
