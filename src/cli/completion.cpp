// Completion scripts. Each shell finds the command that is being written from the words before the cursor ("/journal/
// export"), and then offers what that command has.
#include "cli/command_tree.h"
#include "config/options.h"

namespace hot {
namespace {

// "model.backbone=resnet18", or "model.width=" where any value may follow.
std::vector<std::string> Assignments() {
  std::vector<std::string> texts;
  for (const Option& option : AllOptions()) {
    bool any = option.allowed.empty();
    for (const std::string& value : option.allowed) {
      any = any || value.ends_with("...");
      if (!value.ends_with("...")) texts.push_back(option.name + "=" + value);
    }
    if (any) texts.push_back(option.name + "=");
  }
  return texts;
}

std::string Joined(const std::vector<std::string>& words, const char* separator = " ") {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

// "/init|/journal|/journal/export": all commands but hot itself.
std::string Paths(const std::vector<CommandNode>& tree, const char* separator) {
  std::vector<std::string> paths;
  for (const CommandNode& node : tree) {
    if (!node.path.empty()) paths.push_back(node.path);
  }
  return Joined(paths, separator);
}

std::vector<std::string> Flags(const CommandNode& node) {
  std::vector<std::string> flags{"--help"};
  for (const CommandOption& option : node.options) {
    if (!option.positional) flags.push_back(option.name);
  }
  return flags;
}

// The first sentence's worth of a help text, for a list; without what shells would read as their own.
std::string Brief(const std::string& help) {
  std::string text;
  for (const char c : help.substr(0, help.find("; "))) {
    if (std::string_view("'\"`$\\[]:").find(c) == std::string_view::npos) text += c;
  }
  return text.substr(0, 70);
}

const CommandNode& Child(const std::vector<CommandNode>& tree, const CommandNode& node, const std::string& name) {
  for (const CommandNode& one : tree) {
    if (one.path == node.path + "/" + name) return one;
  }
  return node;
}

}  // namespace

std::string BashCompletion(const std::vector<CommandNode>& tree) {
  std::string text =
      "# Completion of hot in bash: source <(hot completion bash)\n"
      "_hot() {\n"
      "  local line=${COMP_LINE:0:COMP_POINT} path='' word words offered=''\n"
      "  local last=${line##*[[:space:]]}\n"
      "  read -r -a words <<<\"${line%\"$last\"}\"\n"
      "  for word in \"${words[@]:1}\"; do\n"
      "    case \"$path/$word\" in\n"
      "      " +
      Paths(tree, "|") +
      ") path=\"$path/$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  COMPREPLY=()\n"
      "  if [[ ${words[-1]} == --set ]]; then\n"
      "    compopt -o nospace\n"
      "    COMPREPLY=($(compgen -W '" +
      Joined(Assignments()) +
      "' -- \"$last\"))\n"
      "    if [[ $last == *=* ]]; then COMPREPLY=(\"${COMPREPLY[@]#\"${last%%=*}=\"}\"); fi  # bash ends words at '='\n"
      "    return\n"
      "  fi\n"
      "  case $path in\n";
  for (const CommandNode& node : tree) {
    text += "    '" + node.path + "') offered='" + Joined(node.children) + (node.children.empty() ? "" : " ") +
            Joined(Flags(node)) + "' ;;\n";
  }
  return text +
         "  esac\n"
         "  if [[ $last == -* || $path == '' ]]; then COMPREPLY=($(compgen -W \"$offered\" -- \"$last\")); return; fi\n"
         "  COMPREPLY=($(compgen -W \"${offered%%--*}\" -- \"$last\"))  # commands, or else names of files\n"
         "}\n"
         "complete -o default -F _hot hot\n";
}

std::string ZshCompletion(const std::vector<CommandNode>& tree) {
  std::string text =
      "#compdef hot\n"
      "# Completion of hot in zsh: hot completion zsh > a folder of $fpath/_hot\n"
      "_hot() {\n"
      "  local where='' word\n"
      "  local -a offered\n"
      "  for word in ${words[2,CURRENT-1]}; do\n"
      "    case \"$where/$word\" in\n"
      "      " +
      Paths(tree, "|") +
      ") where=\"$where/$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  if [[ ${words[CURRENT-1]} == --set ]]; then\n"
      "    compadd -S '' -- " +
      Joined(Assignments()) +
      "\n"
      "    return\n"
      "  fi\n"
      "  case $where in\n";
  for (const CommandNode& node : tree) {
    text += "    '" + node.path + "') offered=('--help:Print help'";
    for (const std::string& name : node.children) text += " '" + name + ":" + Brief(Child(tree, node, name).help) + "'";
    for (const CommandOption& option : node.options) {
      if (!option.positional) text += " '" + option.name + ":" + Brief(option.help) + "'";
    }
    text += ") ;;\n";
  }
  return text +
         "  esac\n"
         "  _describe 'hot' offered\n"
         "  [[ $where == '' ]] || _files\n"
         "}\n"
         "if [[ $funcstack[1] == _hot ]]; then _hot; else compdef _hot hot; fi\n";
}

std::string FishCompletion(const std::vector<CommandNode>& tree) {
  std::string text =
      "# Completion of hot in fish: hot completion fish > ~/.config/fish/completions/hot.fish\n"
      "function __hot_is_at\n"
      "  set -l path ''\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    switch \"$path/$word\"\n"
      "      case " +
      Paths(tree, " ") +
      "\n"
      "        set path \"$path/$word\"\n"
      "    end\n"
      "  end\n"
      "  test \"$path\" = \"$argv[1]\"\n"
      "end\n";
  for (const CommandNode& node : tree) {
    const std::string at = "complete -c hot -n '__hot_is_at \"" + node.path + "\"' ";
    for (const std::string& name : node.children) {
      text += at + "-f -a " + name + " -d '" + Brief(Child(tree, node, name).help) + "'\n";
    }
    text += at + "-l help -d 'Print help'\n";
    for (const CommandOption& option : node.options) {
      if (option.positional) continue;
      std::string value = option.takes_value ? "-r " : "";
      if (option.name == "--set") value = "-x -a '" + Joined(Assignments()) + "' ";
      text += at + "-l " + option.name.substr(2) + " " + value + "-d '" + Brief(option.help) + "'\n";
    }
  }
  return text;
}

}  // namespace hot
