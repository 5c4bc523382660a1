#include "core/utf8.h"

namespace hot {
namespace {

unsigned char Byte(std::string_view text, size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

// By the first byte; 0 for one that starts no sequence.
size_t SequenceLength(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

// RFC 3629, section 4: the second byte's range is narrower behind four first bytes.
bool SecondFits(unsigned char first, unsigned char second) {
  const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high;
}

bool IsContinuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

}  // namespace

size_t Utf8Prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t length = SequenceLength(Byte(text, at));
    if (length == 0 || (length > 1 && !SecondFits(Byte(text, at), Byte(text, at + 1)))) return at;
    for (size_t i = 2; i < length; ++i) {
      if (!IsContinuation(Byte(text, at + i))) return at;
    }
    at += length;
  }
  return at;
}

}  // namespace hot
