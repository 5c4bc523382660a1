#include "cli/command_tree.h"

namespace hot {
namespace {

const auto kAll = [](const CLI::App*) { return true; };

CommandOption OptionOf(const CLI::Option& option) {
  const bool positional = option.get_positional();
  std::string name = positional ? option.get_name(true) : "--" + option.get_lnames().front();
  return {.name = std::move(name),
          .help = option.get_description(),
          .positional = positional,
          .takes_value = option.get_items_expected_max() > 0,
          .required = option.get_required()};
}

void Visit(const CLI::App& app, const std::string& path, std::vector<CommandNode>& tree);

// Options of `app` and of its option groups, which are commands without a name, and the names of its commands.
void AddContent(const CLI::App& app, CommandNode& node) {
  for (const CLI::Option* option : app.get_options()) {
    const bool is_help = !option->get_lnames().empty() && option->get_lnames().front() == "help";
    if (!is_help && !option->get_group().empty()) node.options.push_back(OptionOf(*option));
  }
  for (const CLI::App* child : app.get_subcommands(kAll)) {
    if (child->get_name().empty()) {
      AddContent(*child, node);
    } else if (!child->get_group().empty()) {
      node.children.push_back(child->get_name());
    }
  }
}

void Visit(const CLI::App& app, const std::string& path, std::vector<CommandNode>& tree) {
  CommandNode node{.path = path, .help = app.get_description(), .footer = app.get_footer()};
  AddContent(app, node);
  tree.push_back(node);
  for (const std::string& name : node.children) {
    for (const CLI::App* child : app.get_subcommands([&](const CLI::App* one) { return one->get_name() == name; })) {
      Visit(*child, path + "/" + name, tree);
    }
  }
}

}  // namespace

std::string CommandNode::name() const {
  std::string name = "hot" + path;
  for (char& c : name) {
    if (c == '/') c = ' ';
  }
  return name;
}

std::vector<CommandNode> CommandTree(const CLI::App& app) {
  std::vector<CommandNode> tree;
  Visit(app, "", tree);
  return tree;
}

}  // namespace hot
