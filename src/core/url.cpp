#include "core/url.h"

#include <algorithm>

namespace hot {
namespace {

constexpr std::string_view kAfterScheme = "://";

// Behind "scheme://"; npos for text that is no address.
size_t AuthorityBegin(std::string_view url) {
  const size_t scheme = url.find(kAfterScheme);
  return scheme == std::string_view::npos ? scheme : scheme + kAfterScheme.size();
}

// A name with %XX in it may be anything, also "password".
bool IsSecret(std::string_view parameter) {
  const std::string_view name = parameter.substr(0, parameter.find('='));
  return name.ends_with("password") || name.find('%') != std::string_view::npos;
}

// "?a=1&b=2" without secrets.
std::string PublicQuery(std::string_view query) {
  std::string kept;
  for (size_t begin = 1; begin < query.size();) {
    const size_t end = std::min(query.find('&', begin), query.size());
    const std::string_view parameter = query.substr(begin, end - begin);
    if (!IsSecret(parameter)) kept.append(kept.empty() ? "?" : "&").append(parameter);
    begin = end + 1;
  }
  return kept;
}

}  // namespace

bool HasPlainUserPart(std::string_view url) {
  const size_t begin = AuthorityBegin(url);
  const size_t at = url.find('@');
  if (begin == std::string_view::npos || at == std::string_view::npos) return true;
  return at >= begin && at < url.find_first_of("/?#", begin) && url.find('@', at + 1) == std::string_view::npos;
}

std::string WithoutPassword(std::string_view url) {
  const size_t begin = AuthorityBegin(url);
  if (begin == std::string_view::npos) return std::string(url);
  if (!HasPlainUserPart(url)) return std::string(url.substr(0, begin)) + "...";
  const size_t at = url.find('@');
  const std::string_view user = at == std::string_view::npos ? "" : url.substr(begin, at - begin);
  const std::string_view rest = url.substr(at == std::string_view::npos ? begin : at);
  const size_t query = std::min(rest.find('?'), rest.size());
  return std::string(url.substr(0, begin)) + std::string(user.substr(0, user.find(':'))) +
         std::string(rest.substr(0, query)) + PublicQuery(rest.substr(query));
}

}  // namespace hot
