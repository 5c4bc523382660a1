// A portable file of a journal: as it is, and with the counts and the digest of its last line set right, so that what
// is behind them is reached. A row that was accepted is the same when it is written and read again.
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "core/hash.h"
#include "fuzz_target.h"
#include "store/journal_file.h"

namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> Read(std::string_view text) {
  std::istringstream in{std::string(text)};
  hot::JournalReader reader(in, "file");
  std::vector<std::string> lines;
  while (const auto row = reader.Next()) lines.push_back(hot::JournalLine(*row));
  return lines;
}

// The lines that look like rows behind a good header, and a last line that is true of them.
std::string SetRight(std::string_view text) {
  std::string file = "{\"format\":\"hot-journal\",\"version\":1}\n";
  int measurements = 0, records = 0;
  std::istringstream lines{std::string(text.substr(std::min(text.find('\n'), text.size())))};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.find("\"end\"") != std::string::npos) continue;
    ++(line.find("\"record\"") != std::string::npos ? records : measurements);
    file += line + "\n";
  }
  const Json end{{"measurements", measurements}, {"records", records}, {"sha256", hot::Sha256Hex(file)}};
  return file + Json{{"end", end}}.dump() + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = hot::AsText(data, size);
  hot::MayThrowError([&] { Read(text); });
  hot::MayThrowError([&] {
    const std::vector<std::string> rows = Read(SetRight(text));
    std::string again = "\n";
    for (const std::string& row : rows) again += row + "\n";
    HOT_ASSERT(Read(SetRight(again)) == rows);
  });
  return 0;
}
