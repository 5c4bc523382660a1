#include "docs_blocks.h"

#include <algorithm>
#include <sstream>
#include <string_view>

namespace hot {
namespace {

const char* const kFence = "```";
constexpr std::string_view kSeparators = "\n;|&";  // of commands

// Characters of one block, read by words.
class Words {
 public:
  explicit Words(const std::string& text) : text_(text) {}

  std::vector<std::vector<std::string>> Read() {
    for (; at_ < text_.size(); ++at_) Take(text_[at_]);
    EndCommand();
    return commands_;
  }

 private:
  void Take(char c) {
    if (quote_ != '\0') return TakeQuoted(c);
    if (kSeparators.find(c) != std::string_view::npos) return EndCommand();
    switch (c) {
      case ' ':
        return EndWord();
      case '#':
        return in_word_ ? Add(c) : SkipLine();
      case '\'':
      case '"':
        return BeginQuote(c);
      case '\\':
        return void(++at_);  // only before the end of a line
      default:
        Add(c);
    }
  }
  void TakeQuoted(char c) {
    if (c == quote_) {
      quote_ = '\0';
    } else {
      Add(c);
    }
  }
  void BeginQuote(char c) {
    quote_ = c;
    in_word_ = true;
  }
  void Add(char c) {
    word_.push_back(c);
    in_word_ = true;
  }
  void SkipLine() {
    while (at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
  }
  void EndWord() {
    if (in_word_) words_.push_back(word_);
    word_.clear();
    in_word_ = false;
  }
  void EndCommand() {
    EndWord();
    if (!words_.empty()) commands_.push_back(std::move(words_));
    words_.clear();
  }

  const std::string& text_;
  size_t at_ = 0;
  char quote_ = '\0';
  bool in_word_ = false;
  std::string word_;
  std::vector<std::string> words_;
  std::vector<std::vector<std::string>> commands_;
};

}  // namespace

std::vector<std::vector<std::string>> Commands(const std::string& text) { return Words(text).Read(); }

std::vector<DocsBlock> BlocksOf(const std::string& text, const std::string& file) {
  std::vector<DocsBlock> blocks;
  std::istringstream lines(text);
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with(kFence)) {
      inside = !inside;
      if (!inside) continue;
      std::istringstream info(line.substr(3));
      DocsBlock block{.place = file + ":" + std::to_string(number + 1)};
      std::string word;
      info >> block.language >> word;
      block.runs = word != "no-run";
      blocks.push_back(block);
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

std::vector<DocsBlock> DocsBlocks() {
  const fs::path root = HOT_SOURCE_DIR;
  std::vector<fs::path> files{root / "README.md", root / "CONTRIBUTING.md", root / "packaging/README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<DocsBlock> all;
  for (const fs::path& file : files) {
    for (DocsBlock& block : BlocksOf(ReadFile(file), fs::relative(file, root).string()))
      all.push_back(std::move(block));
  }
  return all;
}

}  // namespace hot
