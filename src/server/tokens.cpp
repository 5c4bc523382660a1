#include "server/tokens.h"

#include <openssl/crypto.h>

#include <sstream>

#include "core/error.h"
#include "core/hash.h"

namespace hot::server {
namespace {

constexpr size_t kShortestToken = 16;
constexpr std::string_view kBearer = "Bearer ";

}  // namespace

Tokens::Tokens(const fs::path& file) {
  std::istringstream lines(ReadFile(file));
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const std::string where = file.string() + ":" + std::to_string(number);
    std::istringstream words(line);
    std::vector<std::string> found;
    for (std::string word; words >> word;) found.push_back(word);
    if (found.empty() || found[0].starts_with('#')) continue;
    if (found.size() > 2) throw Error(Code::kInvalidArgument, where, "expected TOKEN or NAME TOKEN");
    if (found.back().size() < kShortestToken) {
      throw Error(Code::kInvalidArgument, where,
                  "the token is shorter than " + std::to_string(kShortestToken) + " characters",
                  "make one with: openssl rand -hex 32");
    }
    tokens_.push_back({found.size() == 2 ? found[0] : "", Sha256Hex(found.back())});
  }
  if (tokens_.empty()) throw Error(Code::kInvalidArgument, file.string(), "holds no token");
}

std::optional<std::string> Tokens::Name(std::string_view authorization) const {
  if (tokens_.empty()) return "";
  if (!authorization.starts_with(kBearer)) return std::nullopt;
  // Hashes have one length, so that not even the token's own shows in the time taken.
  const std::string given = Sha256Hex(std::string(authorization.substr(kBearer.size())));
  std::optional<std::string> name;
  for (const Named& one : tokens_) {
    if (CRYPTO_memcmp(given.data(), one.sha256.data(), given.size()) == 0) name = one.name;
  }
  return name;
}

}  // namespace hot::server
