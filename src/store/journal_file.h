// A journal, or a part of one, as a portable file (docs/formats/journal.md, "Portable file"): what one team gives to
// another, and the way from one database to another. Read and written row by row. Called by `hot journal`. Not
// thread-safe.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "core/files.h"
#include "core/hash.h"
#include "store/store.h"

namespace hot {

inline constexpr int kJournalFileVersion = 1;

struct ExportCounts {
  int64_t measurements = 0, records = 0;
};

// Which rows are written: of these devices, all when empty, and which records.
struct ExportFilter {
  std::string device;
  std::function<bool(const RecordRow& row)> record = [](const RecordRow&) { return true; };
};

// `progress` hears the number of rows so far, now and then. Throws as AtomicFile does.
ExportCounts ExportJournal(const Store& store, const fs::path& file, const ExportFilter& filter,
                           const std::function<void(int64_t)>& progress);

// All or nothing. Throws Error(kDataLoss) for a damaged file, kFailedPrecondition for one of a newer version,
// kNotFound.
ImportCounts ImportJournal(Store& store, const fs::path& file, const std::function<void(int64_t)>& progress);

// One row as a line of the file, without its end.
std::string JournalLine(const JournalRow& row);

// Reads a portable file from bytes that may be anything. Throws as ImportJournal() does, `where` and the line in front.
class JournalReader {
 public:
  JournalReader(std::istream& in, std::string where);
  // The next row; none when the end was read and all that it says is true.
  std::optional<JournalRow> Next();
  int64_t rows() const { return measurements_ + records_; }

 private:
  // The next line, with its end; false at the end of the file. Throws for one that is longer than any row.
  bool ReadLine();
  // Of the line that was just read.
  void CheckEnd();
  [[noreturn]] void Fail(const std::string& what) const;

  std::istream& in_;
  std::string where_, line_;
  int64_t number_ = 0, measurements_ = 0, records_ = 0;
  Sha256 digest_;
};

}  // namespace hot
