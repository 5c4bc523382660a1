// hot completion SHELL and hot man: scripts and a page about all commands, made from them.
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "cli/command_tree.h"

namespace hot {

void AddHelpCommands(CLI::App& app, int& exit_code) {
  auto shell = std::make_shared<std::string>();  // shared: CLI11 copies the callback that owns it
  CLI::App* completion = app.add_subcommand("completion", "Print a script that completes commands in a shell");
  completion->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->footer(
      "Examples:\n  source <(hot completion bash)                                       # in ~/.bashrc\n"
      "  hot completion zsh > ~/.zfunc/_hot                                  # a folder of $fpath\n"
      "  hot completion fish > ~/.config/fish/completions/hot.fish");
  completion->callback([&app, shell, &exit_code] {
    exit_code = RunCommand(/*quiet=*/true, [&](const Context&) {
      const auto tree = CommandTree(app);
      const std::string script = *shell == "bash"  ? BashCompletion(tree)
                                 : *shell == "zsh" ? ZshCompletion(tree)
                                                   : FishCompletion(tree);
      std::fputs(script.c_str(), stdout);
    });
  });
  CLI::App* man = app.add_subcommand("man", "Print the manual page");
  man->footer("Example:\n  hot man > hot.1 && man -l hot.1");
  man->callback([&app, &exit_code] {
    exit_code =
        RunCommand(/*quiet=*/true, [&](const Context&) { std::fputs(ManualPage(CommandTree(app)).c_str(), stdout); });
  });
}

}  // namespace hot
