#include "core/hash.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <span>
#include <vector>

#include "core/error.h"

namespace hot {
namespace {

std::string Hex(std::span<const unsigned char> bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

using Digest = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

Digest NewDigest() {
  Digest digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  HOT_ASSERT(digest != nullptr && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1);
  return digest;
}

std::string Finish(Digest digest) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(digest.get(), bytes, &size);
  return Hex({bytes, size});
}

}  // namespace

std::string Sha256Hex(std::string_view bytes) {
  Digest digest = NewDigest();
  EVP_DigestUpdate(digest.get(), bytes.data(), bytes.size());
  return Finish(std::move(digest));
}

std::string Sha256File(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(Code::kNotFound, path.string(), "can't be opened");
  Digest digest = NewDigest();
  std::vector<char> block(1 << 20);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())), in.gcount() > 0) {
    EVP_DigestUpdate(digest.get(), block.data(), static_cast<size_t>(in.gcount()));
  }
  return Finish(std::move(digest));
}

bool IsSha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string RandomHex(size_t bytes) {
  std::vector<unsigned char> random(bytes);
  HOT_ASSERT(::getentropy(random.data(), random.size()) == 0);
  return Hex(random);
}

uint64_t MixSeed(uint64_t a, uint64_t b) {
  uint64_t z = a + 0x9e3779b97f4a7c15ULL * (b + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

uint64_t MixSeed(uint64_t a, std::string_view text) {
  for (unsigned char c : text) a = MixSeed(a, c);
  return MixSeed(a, text.size());
}

}  // namespace hot
