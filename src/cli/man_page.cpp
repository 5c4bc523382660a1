// The manual page, in the macros of man(7).
#include "cli/command_tree.h"
#include "config/options.h"
#include "core/version.h"

namespace hot {
namespace {

// Text of a page: backslashes, hyphens that are minus signs, and lines that would be read as requests.
std::string Escaped(const std::string& text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') out += "\\e";
    if (c == '-') out += "\\-";
    if (c != '\\' && c != '-') out += c;
    line_begins = c == '\n';
  }
  return out;
}

std::string OptionText(const CommandOption& option) {
  std::string text = ".TP\n.B " + Escaped(option.name);
  if (!option.positional && option.takes_value) text += " \\fIVALUE\\fR";
  return text + "\n" + Escaped(option.help) + (option.required ? " (required)" : "") + "\n";
}

// Text in front of the examples, and then these as they stand.
std::string FooterText(const std::string& footer) {
  const size_t at = footer.find("Example");
  std::string text;
  if (at != 0) text += ".PP\n" + Escaped(footer.substr(0, at)) + "\n";
  if (at == std::string::npos) return text;
  return text + ".PP\n.nf\n" + Escaped(footer.substr(at)) + "\n.fi\n";
}

std::string CommandText(const CommandNode& node) {
  std::string text = ".SS " + Escaped(node.name()) + "\n" + Escaped(node.help) + ".\n";
  for (const CommandOption& option : node.options) text += OptionText(option);
  return text + FooterText(node.footer);
}

std::string StudyKeys() {
  std::string text =
      ".SH STUDY FILE\nA YAML file; any key may be set on the command line: \\fB\\-\\-set\\fR KEY=VALUE.\n";
  for (const Option& option : AllOptions()) {
    std::string help;
    for (const char c : option.help) {
      if (c != '`') help += c;  // Markdown
    }
    text += ".TP\n.B " + Escaped(option.name) + "\n" + Escaped(help + " Expects " + ExpectedText(option)) + ".\n";
  }
  return text;
}

}  // namespace

std::string ManualPage(const std::vector<CommandNode>& tree) {
  std::string text = ".TH HOT 1 \"\" \"hot " + Escaped(kHotVersion) + "\" \"User Commands\"\n" +
                     ".SH NAME\nhot \\- hardware\\-aware model optimization\n" +
                     ".SH SYNOPSIS\n.B hot\n\\fICOMMAND\\fR [\\fIOPTION\\fR...]\n" + ".SH DESCRIPTION\n" +
                     Escaped(tree.front().help) + "\n" + FooterText(tree.front().footer) + ".SH COMMANDS\n";
  for (size_t i = 1; i < tree.size(); ++i) text += CommandText(tree[i]);
  return text + StudyKeys() +
         ".SH EXIT STATUS\n0 done, 1 failed, 2 the input is wrong (one line says where), 3 no network fits the "
         "budgets,\n"
         "130 interrupted: the same command goes on.\n";
}

}  // namespace hot
