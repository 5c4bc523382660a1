// SHA-256 for keys and artifacts, random tokens, and a 64-bit mixer for seeds. Thread rule: values, no sharing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace hot {

// Of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void Update(std::string_view bytes);
  // Lower-case hex digest (64 characters) of all; once, and last.
  std::string Hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Lower-case hex digest (64 characters).
std::string Sha256Hex(std::string_view bytes);

// Digest of a file's bytes, read in blocks. Throws Error(kNotFound) when it can't be opened.
std::string Sha256File(const std::filesystem::path& path);

// Whether text from outside is such a digest: 64 of 0-9 and a-f.
bool IsSha256(std::string_view text);

// So many bytes of the operating system's generator, as hex: a token that nobody guesses. At most 256 bytes.
std::string RandomHex(size_t bytes);

// Well-mixed 64-bit function of its arguments (SplitMix64 finalizer); same on every machine.
uint64_t MixSeed(uint64_t a, uint64_t b);
uint64_t MixSeed(uint64_t a, std::string_view text);

}  // namespace hot
