// The commands of `hot` with their options and examples, as plain values: what shell completion and the manual page are
// made of. Read from CLI11, so that nothing is written down twice. Pure functions.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace hot {

struct CommandOption {
  std::string name;  // "--data"; of a positional "study"
  std::string help;
  bool positional = false, takes_value = true, required = false;
};

struct CommandNode {
  std::string path;  // "/journal/export"; "" is hot itself
  std::string help, footer;
  std::vector<CommandOption> options;  // without --help
  std::vector<std::string> children;   // names, as in paths

  std::string name() const;  // "hot journal export"
};

// hot itself first, each command before those below it; hidden ones are left out.
std::vector<CommandNode> CommandTree(const CLI::App& app);

// Scripts that complete commands, options, and behind --set the keys and values of studies (config/options.h).
std::string BashCompletion(const std::vector<CommandNode>& tree);
std::string ZshCompletion(const std::vector<CommandNode>& tree);
std::string FishCompletion(const std::vector<CommandNode>& tree);

// hot.1: commands, options, examples, all keys of a study; for man(1).
std::string ManualPage(const std::vector<CommandNode>& tree);

}  // namespace hot
