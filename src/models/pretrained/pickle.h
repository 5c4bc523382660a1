// Python's pickle format, read as data: no object is made and no code is called, so bytes of any origin are safe. What
// a class or function would have made stays as its name and its arguments. Used by the reader of PyTorch state files.
// Pure function.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hot {

struct PickleValue {
  enum class Kind {
    kNone,
    kInteger,     // also True and False
    kFloat,       // number
    kText,        // also bytes and integers of more than 64 bits (little-endian)
    kTuple,       // items; also lists and sets
    kDict,        // items: key, value, key, value, ...
    kGlobal,      // text: "module name"
    kCall,        // items: the global, the tuple of its arguments
    kPersistent,  // items: the id, which the file's owner knows how to read
    kMark,        // while reading only
  };
  Kind kind = Kind::kNone;
  int64_t integer = 0;
  double number = 0;
  std::string text;
  std::vector<size_t> items;  // indices into Pickle::values; values may be shared, or even hold themselves
};

struct Pickle {
  std::vector<PickleValue> values;
  size_t root = 0;
  size_t bytes = 0;  // that it took; more may follow
};

// Protocols 2 to 5 without out-of-band buffers. Throws Error(kDataLoss) at `where`.
Pickle ReadPickle(std::string_view bytes, const std::string& where);

}  // namespace hot
