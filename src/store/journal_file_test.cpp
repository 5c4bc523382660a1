#include "store/journal_file.h"

#include <sstream>

#include "core/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hot {
namespace {

using testing::HasSubstr;

void Ignore(int64_t) {}

MeasurementRow Row(const std::string& graph_key, const std::string& device = "board") {
  MeasurementRow row;
  row.key = {graph_key, device, "openvino", "2026.4.1", "threads=1", "int8", "s8s8", 1, 1};
  row.samples_ns = {1000, 1001, int64_t{1} << 60};
  row.canary_ns = {10, 11, 12};
  row.median_ns = 1000.1;
  row.low_ns = 0.1;
  row.high_ns = 1e300;
  row.raw_median_ns = 1.0 / 3;
  row.p90_ns = 5e-324;
  row.canary_median_ns = 11;
  row.note = "it's \"fine\"\nµ";
  row.created = 1'790'000'000;
  return row;
}

class JournalFileTest : public testing::Test {
 protected:
  std::unique_ptr<Store> Open(const std::string& name) const { return OpenStore(folder_.path() / name); }

  // A file with two superseding rows, another device's, an estimate and a record.
  void WriteFile() const {
    const auto store = Open("from.sqlite");
    MeasurementRow estimate = Row("g3");
    estimate.estimate = true;
    estimate.steady = false;
    estimate.samples_ns.clear();
    estimate.canary_ns.clear();
    MeasurementRow newer = Row("g1");
    newer.note = "newer";
    for (const MeasurementRow& row : {Row("g1"), newer, Row("g2", "other"), estimate}) store->AddMeasurement(row);
    store->AddRecord({.kind = "trial", .key = "k", .study = "s", .body = "{\"a\":  1}", .created = 7});
    const ExportCounts counts = ExportJournal(*store, file_, {}, Ignore);
    ASSERT_EQ(counts.measurements, 4);
    ASSERT_EQ(counts.records, 1);
  }

  // What is said about the file when its text is `text`; nothing may have been imported.
  std::string Refusal(const std::string& text) const {
    WriteFileAtomic(file_, text);
    const auto store = Open("to.sqlite");
    std::string what;
    try {
      ImportJournal(*store, file_, Ignore);
      ADD_FAILURE() << "imported: " << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.where(), HasSubstr(file_.string()));
      EXPECT_EQ(ExitCode(error.code()), 2) << error.what();
      what = error.what();
    }
    int64_t rows = 0;
    store->VisitMeasurements("", [&](const MeasurementRow&) { ++rows; });
    store->VisitRecords({}, [&](const RecordRow&) { ++rows; });
    EXPECT_EQ(rows, 0);
    return what;
  }

  TempFolder folder_;
  fs::path file_ = folder_.path() / "rows.hotj";
};

TEST_F(JournalFileTest, WhatIsExportedIsImported) {
  WriteFile();
  const auto store = Open("to.sqlite");
  ImportCounts counts = ImportJournal(*store, file_, Ignore);
  EXPECT_EQ(std::tuple(counts.measurements, counts.records, counts.known), std::tuple(4, 1, 0));
  EXPECT_EQ(store->FindMeasurement(Row("g1").key)->note, "newer");
  EXPECT_EQ(store->CountMeasurements(Row("g1").key), 2);
  EXPECT_EQ(store->FindRecord("trial", "k")->body, "{\"a\":  1}");
  counts = ImportJournal(*store, file_, Ignore);
  EXPECT_EQ(std::tuple(counts.measurements, counts.records, counts.known), std::tuple(0, 0, 5));

  const std::string text = ReadFile(file_);
  ExportJournal(*store, file_, {}, Ignore);
  EXPECT_EQ(ReadFile(file_), text) << "to the last bit of every number";
}

TEST_F(JournalFileTest, OneDeviceOnly) {
  WriteFile();
  const ExportFilter filter{.device = "other", .record = [](const RecordRow&) { return false; }};
  const ExportCounts counts = ExportJournal(*Open("from.sqlite"), file_, filter, Ignore);
  EXPECT_EQ(counts.measurements, 1);
  EXPECT_EQ(counts.records, 0);
}

TEST_F(JournalFileTest, DamagedFilesAreRefusedWhole) {
  WriteFile();
  const std::string good = ReadFile(file_);
  const size_t last = good.rfind('\n', good.size() - 2) + 1;
  EXPECT_THAT(Refusal(""), HasSubstr("is no exported journal"));
  EXPECT_THAT(Refusal("{}\n"), HasSubstr("is no exported journal"));
  EXPECT_THAT(Refusal(ReadFile(folder_.path() / "from.sqlite")), HasSubstr("is a journal, not the file of an export"));
  EXPECT_THAT(Refusal("{\"format\": \"hot-journal\", \"version\": 2}\n"), HasSubstr("made by a newer hot (version 2"));
  EXPECT_THAT(Refusal("{\"format\": \"hot-journal\"}\n"), HasSubstr("has no version"));
  EXPECT_THAT(Refusal(good.substr(0, last)), HasSubstr("rows.hotj:7: is cut short"));
  EXPECT_THAT(Refusal(good.substr(0, last - 30)), HasSubstr("is damaged"));
  EXPECT_THAT(Refusal(good.substr(0, good.size() - 1)), HasSubstr("is damaged"));
  EXPECT_THAT(Refusal(good + "\n"), HasSubstr("behind its end"));
  EXPECT_THAT(Refusal(good + good), HasSubstr("behind its end"));
  for (const auto& [from, to, expected] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"\"steady\":false", "\"steady\":true ", "SHA-256"},
           {"[1000,1001", "[1000,1002", "SHA-256"},
           {"\"measurements\":4", "\"measurements\":3", "rows are missing"},
           {"[1000,1001", "[1000,-100", "samples_ns: a time is not above 0"},
           {"[1000,1001", "[1000,1.01", "expected a whole number"},
           {"[1000,1001", "[1000 1001", "no row"},
           {"\"threads\":1", "\"threads\":0", "threads: 0 is out of range"},
           {"\"median_ns\":1000.1", "\"median_ns\":0.0001", "median_ns: expected a time above 0 within"},
           {"\"p90_ns\"", "\"p91_ns\"", "has no p90_ns"},
           {"\"precision\":\"int8\"", "\"precision\":\"\"", "precision: is empty"},
           {"\"precision\":\"int8\"", "\"precision\":8", "precision: expected text"},
           {"\"estimate\":false", "\"estimate\":true", "an estimate has none"},
           {"\"body\":\"{", "\"body\":\"[", "body: expected a JSON object"}}) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    EXPECT_THAT(Refusal(bad), HasSubstr(expected)) << to;
  }
}

// Copies of such values recurse: a stack has room for some ten thousand.
TEST_F(JournalFileTest, WhatIsNestedTooDeepIsRefused) {
  WriteFile();
  const std::string good = ReadFile(file_), deep(1'000'000, '['), closed = deep + std::string(deep.size(), ']');
  EXPECT_THAT(Refusal("{\"format\":" + closed + ",\"version\":1}\n"),
              HasSubstr("rows.hotj:1: is damaged: nested too deep"));
  std::string row = good, body = good;
  row.replace(row.find("[1000,1001"), 1, "[" + closed + ",");
  EXPECT_THAT(Refusal(row), HasSubstr("nested too deep"));
  body.replace(body.find("\"body\":\"{") + 8, 1, "{\\\"a\\\":" + closed + ",");
  EXPECT_THAT(Refusal(body), HasSubstr("nested too deep"));
}

TEST_F(JournalFileTest, EveryByteCounts) {
  WriteFile();
  const std::string good = ReadFile(file_);
  for (size_t i = 0; i < good.size(); i += 7) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    std::istringstream in(bad);
    EXPECT_THROW(
        {
          JournalReader reader(in, "file");
          while (reader.Next()) {
          }
        },
        Error)
        << i;
  }
}

TEST_F(JournalFileTest, AFailedExportLeavesTheOldFile) {
  WriteFile();
  const std::string before = ReadFile(file_);
  EXPECT_THROW(ExportJournal(*Open("from.sqlite"), folder_.path() / "none/rows.hotj", {}, Ignore), Error);
  EXPECT_THROW(ExportJournal(*Open("from.sqlite"), file_,
                             {.device = "",
                              .record = [](const RecordRow&) -> bool { throw Error(Code::kCancelled, "", "stop"); }},
                             Ignore),
               Error);
  EXPECT_EQ(ReadFile(file_), before);
}

}  // namespace
}  // namespace hot
