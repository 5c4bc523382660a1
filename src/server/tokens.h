// Who may use an agent: a token file with a token a line, each with a name before it if clients are to be told apart:
// "alice 9f2c...". Lines that begin with # are comments. Immutable, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"

namespace hot::server {

class Tokens {
 public:
  // Nobody needs one.
  Tokens() = default;
  // Throws Error(kInvalidArgument) for a file without a token, a line of more than two words, and a token of fewer than
  // 16 characters.
  explicit Tokens(const fs::path& file);

  bool empty() const { return tokens_.empty(); }
  // The name that belongs to "Bearer TOKEN" ("" when it has none, or nobody needs one); none for a wrong token. Takes
  // the same time however much of it is right.
  std::optional<std::string> Name(std::string_view authorization) const;

 private:
  struct Named {
    std::string name, sha256;  // of the token: all have one length
  };
  std::vector<Named> tokens_;
};

}  // namespace hot::server
