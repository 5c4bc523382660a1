// Fenced blocks of the documentation and the commands in them: what docs_test checks. One thread.
#pragma once

#include <string>
#include <vector>

#include "core/files.h"

namespace hot {

// "```sh no-run": language "sh", runs false. Blocks of `sh` run in the tests unless they say so.
struct DocsBlock {
  std::string place;  // "docs/import.md:12", of the block's first line
  std::string language;
  bool runs = true;
  std::string text;
};

// All fenced blocks of README.md, CONTRIBUTING.md, packaging/README.md and of docs/, by file and line.
std::vector<DocsBlock> DocsBlocks();
std::vector<DocsBlock> BlocksOf(const std::string& text, const std::string& file);

// Command lines of a block, each as words; comments are left out, `\` joins lines, `&&`, `|` and `;` separate. Quotes
// as in a shell, without expansion.
std::vector<std::vector<std::string>> Commands(const std::string& text);

}  // namespace hot
