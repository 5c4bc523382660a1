// hot data make shapes: a synthetic data set on disk, as a VOC folder, as COCO JSON and as folders by class.
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "data/shapes.h"

namespace hot {
namespace {

struct ShapesCommand {
  std::string out = "data/shapes";
  ShapesOptions options;
  bool json = false;
};

}  // namespace

void AddDataCommand(CLI::App& app, int& exit_code) {
  CLI::App* data = app.add_subcommand("data", "Make data sets");
  data->require_subcommand(1);
  data->footer("Example:\n  hot data make shapes data/shapes");
  CLI::App* make = data->add_subcommand("make", "Make a synthetic data set");
  make->require_subcommand(1);
  make->footer("Example:\n  hot data make shapes data/shapes --train 600");
  auto command = std::make_shared<ShapesCommand>();  // shared: CLI11 copies the callback that owns it
  CLI::App* shapes = make->add_subcommand("shapes", "Cluttered pictures of circles, squares and triangles");
  shapes->add_option("out", command->out, "folder to write")->capture_default_str();
  shapes->add_option("--train", command->options.train_pictures, "training pictures")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  shapes->add_option("--test", command->options.test_pictures, "test pictures")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  shapes->add_option("--seed", command->options.seed, "seed")->capture_default_str();
  shapes->add_flag("--json", command->json, "print what was made as JSON on stdout");
  shapes->footer("Example:\n  hot data make shapes data/shapes");
  shapes->callback([command, &exit_code] {
    exit_code = RunCommand(command->json, [&](const Context& context) {
      WriteShapes(command->out, command->options, context);
      if (command->json) {
        std::printf("{\"version\": 1, \"root\": \"%s\", \"train\": %d, \"test\": %d}\n", command->out.c_str(),
                    command->options.train_pictures, command->options.test_pictures);
      }
    });
  });
}

}  // namespace hot
