#include "core/url.h"

#include "gtest/gtest.h"

namespace hot {
namespace {

TEST(Url, PasswordsAreLeftOut) {
  const std::pair<const char*, const char*> cases[] = {
      {"runs/journal.sqlite", "runs/journal.sqlite"},
      {"", ""},
      {"a@b:c", "a@b:c"},
      {"postgresql://host/hot", "postgresql://host/hot"},
      {"postgresql://host:5432/hot", "postgresql://host:5432/hot"},
      {"postgresql:///hot", "postgresql:///hot"},
      {"postgresql://ann@host/hot", "postgresql://ann@host/hot"},
      {"postgresql://ann:secret@host/hot", "postgresql://ann@host/hot"},
      {"postgresql://ann:se:cret@host/hot", "postgresql://ann@host/hot"},
      {"postgresql://:secret@/hot", "postgresql://@/hot"},
      {"postgresql://ann:se%40cret@[::1]:5432/hot?sslmode=require", "postgresql://ann@[::1]:5432/hot?sslmode=require"},
      {"postgresql:///hot?password=secret", "postgresql:///hot"},
      {"postgresql:///hot?user=a&password=secret&host=/tmp", "postgresql:///hot?user=a&host=/tmp"},
      {"postgresql:///hot?sslpassword=secret&user=a&", "postgresql:///hot?user=a"},
      {"postgresql:///hot?passw%6frd=secret&user=a", "postgresql:///hot?user=a"},
      {"postgresql://ann:se@cret@host/hot", "postgresql://..."},
      {"postgresql://ann:se/cret@host/hot", "postgresql://..."},
      {"postgresql://ann:se?cret@host/hot", "postgresql://..."},
      {"postgresql://ann:se#cret@host/hot", "postgresql://..."},
      {"postgresql://", "postgresql://"},
      {"postgresql://@", "postgresql://@"},
  };
  for (const auto& [url, expected] : cases) {
    EXPECT_EQ(WithoutPassword(url), expected) << url;
    EXPECT_EQ(WithoutPassword(WithoutPassword(url)), expected) << "once is enough: " << url;
  }
}

}  // namespace
}  // namespace hot
