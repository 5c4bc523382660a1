// What the documentation and the examples say works: its commands exist, its studies are read, and blocks that are not
// marked `no-run` run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <set>

#include "config/study.h"
#include "core/error.h"
#include "core/subprocess.h"
#include "docs_blocks.h"

namespace hot {
namespace {

using Words = std::vector<std::string>;

const fs::path kRoot = HOT_SOURCE_DIR;
const std::string kHot = HOT_BINARY_DIR "/bin/hot";

// A folder with all that the documentation's commands are said to be called in.
class Docs : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory_symlink(kRoot / "examples", folder_.path() / "examples");
    before_ = fs::current_path();
    fs::current_path(folder_.path());
  }
  void TearDown() override { fs::current_path(before_); }

  // DIR, FILE and the like stand for what is the reader's own: a folder or file that exists.
  static std::string Own(const std::string& value) {
    const size_t equals = value.find('=') + 1;
    if (equals == 0 || equals == value.size()) return value;
    for (const char c : value.substr(equals)) {
      if (std::isupper(static_cast<unsigned char>(c)) == 0) return value;
    }
    return value.substr(0, equals) + ".";
  }

  TempFolder folder_;
  fs::path before_;
};

// What `hot COMMAND --help` says; "" for a command that there is not.
const std::string& HelpOf(const std::string& command) {
  static std::map<std::string, std::string> known;
  auto [at, added] = known.try_emplace(command);
  if (added) {
    const ProcessResult answer = RunProcess({kHot, command, "--help"});
    // Of a command that there is not the help is that of hot itself.
    if (answer.output.find("/hot " + command + " ") != std::string::npos) at->second = answer.output;
  }
  return at->second;
}

bool Mentions(const std::string& text, const std::string& option) {
  for (size_t at = text.find(option); at != std::string::npos; at = text.find(option, at + 1)) {
    const char after = at + option.size() < text.size() ? text[at + option.size()] : ' ';
    if (std::isalnum(static_cast<unsigned char>(after)) == 0 && after != '-') return true;
  }
  return false;
}

// The problem with one command's options, or "".
std::string OptionProblem(const Words& words, const std::string& help) {
  for (const std::string& word : words) {
    if (!word.starts_with("--") || word == "--help" || word == "--version") continue;
    const std::string option = word.substr(0, word.find('='));
    if (!Mentions(help, option)) return option + " is no option of " + words[0] + " " + words[1];
  }
  return "";
}

std::string Problem(const Words& words) {
  if (words[0] == "hot" && words.size() > 1 && !words[1].starts_with("-")) {
    const std::string& help = HelpOf(words[1]);
    return help.empty() ? "hot has no command " + words[1] : OptionProblem(words, help);
  }
  if (!words[0].starts_with("scripts/")) return "";
  if (!fs::exists(kRoot / words[0])) return words[0] + " does not exist";
  // The programs behind scripts/bench have options of their own.
  if (words.size() == 1 || words[0] == "scripts/bench") return "";
  return OptionProblem(words, ReadFile(kRoot / words[0]));
}

TEST_F(Docs, CommandsAreRead) {
  EXPECT_THAT(Commands("a 'b c' # d\n  e --f=\"g h\" \\\n  i && j | k\n"),
              testing::ElementsAre(Words{"a", "b c"}, Words{"e", "--f=g h", "i"}, Words{"j"}, Words{"k"}));
  const auto blocks = BlocksOf("x\n```sh no-run\nhot\n```\n```yaml\na: 1\n```\n", "f.md");
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].place, "f.md:3");
  EXPECT_FALSE(blocks[0].runs);
  EXPECT_EQ(blocks[1].language, "yaml");
  EXPECT_TRUE(blocks[1].runs);
  EXPECT_THAT(Problem({"hot", "optimise"}), testing::HasSubstr("no command"));
  EXPECT_THAT(Problem({"hot", "doctor", "--sett", "a=b"}), testing::HasSubstr("--sett is no option"));
  EXPECT_THAT(Problem({"scripts/setup", "--with-nothing"}), testing::HasSubstr("--with-nothing is no option"));
}

TEST_F(Docs, CommandsAndOptionsExist) {
  int commands = 0;
  for (const DocsBlock& block : DocsBlocks()) {
    if (block.language != "sh") continue;
    for (const Words& words : Commands(block.text)) {
      ++commands;
      EXPECT_EQ(Problem(words), "") << block.place;
    }
  }
  EXPECT_GT(commands, 40);
}

// A study of the documentation may name data, weights and folders that are not here: only that may be said of it.
void ExpectRead(const fs::path& file, const Words& overrides, const std::string& place) {
  try {
    ReadStudy(file, overrides);
  } catch (const Error& error) {
    ADD_FAILURE() << place << ": " << error.what();
  }
}

TEST_F(Docs, StudiesOfCommandsAreRead) {
  int studies = 0;
  for (const DocsBlock& block : DocsBlocks()) {
    if (block.language != "sh") continue;
    for (const Words& words : Commands(block.text)) {
      const auto file = std::ranges::find_if(words, [](const std::string& word) { return word.ends_with(".yaml"); });
      if (words[0] != "hot" || file == words.end() || !file->starts_with("examples/")) continue;
      Words overrides{"data.root=.", "data.test_root=."};
      for (auto word = file; word != words.end(); ++word) {
        if (*word == "--set" && word + 1 != words.end()) overrides.push_back(Own(*(word + 1)));
      }
      ++studies;
      ExpectRead(*file, overrides, block.place);
    }
  }
  EXPECT_GT(studies, 10);
}

TEST_F(Docs, ExamplesAreRead) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "examples")) {
    if (entry.path().extension() != ".yaml") continue;
    const Words overrides{"data.root=.", "data.test_root=.", "model.pretrained="};
    ExpectRead(entry.path(), overrides, entry.path().filename());
    EXPECT_TRUE(names.insert(ReadStudy(entry.path(), overrides).name).second) << entry.path() << ": a name twice";
  }
  EXPECT_GT(names.size(), 8u);
}

TEST_F(Docs, StudiesInTextAreRead) {
  int studies = 0;
  for (const DocsBlock& block : DocsBlocks()) {
    if (block.language != "yaml") continue;
    // A block may show a part of a study: what is missing is added.
    std::string text = block.text;
    if (!text.starts_with("name:") && text.find("\nname:") == std::string::npos) text += "name: part\n";
    WriteFileAtomic("study.yaml", text);
    ExpectRead("study.yaml", {"data.root=.", "model.pretrained=", "model.backbone=mobilenet_v2"}, block.place);
    ++studies;
  }
  EXPECT_GT(studies, 3);
}

TEST_F(Docs, BlocksRun) {
  int blocks = 0;
  for (const DocsBlock& block : DocsBlocks()) {
    if (block.language != "sh" || !block.runs) continue;
    ++blocks;
    const std::string script = "export PATH=" HOT_BINARY_DIR "/bin:$PATH; set -euo pipefail\n" + block.text;
    const ProcessResult ended = RunProcess({"bash", "-c", script});
    EXPECT_TRUE(ended.status.ok()) << block.place << ":\n" << block.text << ended.output;
  }
  EXPECT_GE(blocks, 3);
}

}  // namespace
}  // namespace hot
