// The records of all options, and their page.
#include "config/options.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/study.h"

namespace hot {
namespace {

TEST(Options, AreUniqueAndTheirDefaultsAreAccepted) {
  std::vector<std::string> names;
  for (const Option& option : AllOptions()) {
    names.push_back(option.name);
    EXPECT_TRUE(option.help.ends_with('.')) << option.name;
  }
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(Options, ReferencePageIsUpToDate) {
  const std::string page = ReadFile(fs::path(HOT_SOURCE_DIR) / "docs/formats/study.md");
  const std::string begin = "<!-- options begin -->\n", end = "<!-- options end -->";
  const size_t from = page.find(begin), to = page.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(page.substr(from + begin.size(), to - from - begin.size()), StudyReference())
      << "paste this between the markers of docs/formats/study.md:\n"
      << StudyReference();
}

}  // namespace
}  // namespace hot
