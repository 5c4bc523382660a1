// Scales and zero points of a quantized network: JSON. What was read is written and read again: the same text.
#include "fuzz_target.h"
#include "quantize/quantize.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  const hot::fs::path file = folder.Write("quantization.json", hot::AsText(data, size));
  hot::MayThrowError([&] {
    const std::string text = hot::ToJson(hot::ReadQuantization(file));
    HOT_ASSERT(hot::ToJson(hot::ReadQuantization(folder.Write("again.json", text))) == text);
  });
  return 0;
}
