// A look-up table of table.json. What was read is written and read again: the same text.
#include "fuzz_target.h"
#include "search/lookup_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hot::MayThrowError([&] {
    const hot::LookupTable table = hot::LookupTableFromJson(std::string(hot::AsText(data, size)), "table.json");
    const std::string text = hot::ToJson(table);
    HOT_ASSERT(hot::ToJson(hot::LookupTableFromJson(text, "table.json")) == text);
  });
  return 0;
}
