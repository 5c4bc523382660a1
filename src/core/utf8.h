// Whether text from outside is UTF-8: what JSON, YAML and our messages are made of. Called by readers. Thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace hot {

// Bytes of the longest prefix that is well-formed (RFC 3629: no overlong forms, no surrogates); text.size() when all
// is.
size_t Utf8Prefix(std::string_view text);

}  // namespace hot
