// What readers of JSON files share. Templates, because headers of core include no third party: `Json` is nlohmann's.
// Thread-safe.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace hot {

// A whole number that fits `Integer`. (nlohmann's get<int>() also takes 2.7, as 2, and numbers that do not fit, as
// something.) Throws Error(kDataLoss) without a place: see WithPlace.
template <std::integral Integer, typename Json>
Integer WholeNumber(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.template get<uint64_t>();
    if (std::in_range<Integer>(number)) return static_cast<Integer>(number);
  } else if (value.is_number_integer()) {
    const auto number = value.template get<int64_t>();
    if (std::in_range<Integer>(number)) return static_cast<Integer>(number);
  }
  const std::string got = value.is_number() ? value.dump() : std::string(value.type_name());
  throw Error(Code::kDataLoss, "", "expected a whole number that fits, got " + got);
}

// How deep lists and objects of a JSON text are nested; of a text that is none, where its brackets lead.
int NestingDepth(std::string_view json);

// Json::parse() that calls `refuse`, which throws, for what is nested deeper than `most`: copies and dumps of it
// recurse. Not by a callback, as with one nlohmann 3.11 looks at all values of a list after each object in it: the
// square of their number.
template <typename Json, typename Refuse>
Json ParseShallow(std::string_view text, int most, Refuse&& refuse, bool allow_exceptions = true) {
  if (NestingDepth(text) > most) refuse();
  return Json::parse(text, nullptr, allow_exceptions);
}

// Runs `read`; an Error that names no place gets `where`.
template <typename Read>
auto WithPlace(const std::string& where, Read&& read) {
  try {
    return std::forward<Read>(read)();
  } catch (const Error& error) {
    if (!error.where().empty()) throw;
    throw Error(error.code(), where, error.message(), error.hint());
  }
}

}  // namespace hot
