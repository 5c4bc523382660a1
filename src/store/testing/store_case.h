// The stores that the contract suites run on, and the rows that they add. To add a store: one more row in StoreCases().
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "core/files.h"
#include "core/hash.h"
#include "gtest/gtest.h"
#include "store/store.h"
#include "store/testing/postgres_server.h"

namespace hot {

struct StoreCase {
  std::string name;
  // What OpenStore() gets for the store that belongs to this folder.
  std::function<std::string(const fs::path& folder)> place;
  // Why it can't be tested here; empty: it can.
  std::function<std::string()> why_not = [] { return std::string(); };
};

inline void PrintTo(const StoreCase& store, std::ostream* out) { *out << store.name; }

// One for all cases: its start takes longer than they do.
inline PostgresServer& SharedServer() {
  static PostgresServer server;
  return server;
}

// A database for each folder, made by the first call.
inline std::string PostgresPlace(const fs::path& folder) {
  static std::set<std::string> made;
  const std::string name = "t" + Sha256Hex(folder.string()).substr(0, 16);
  return made.insert(name).second ? SharedServer().MakeDatabase(name) : SharedServer().Url(name);
}

inline std::vector<StoreCase> StoreCases() {
  return {{"sqlite", [](const fs::path& folder) { return (folder / "journal.sqlite").string(); }},
          {"postgres", PostgresPlace, PostgresServer::WhyNot}};
}

inline MeasurementRow TestRow(const std::string& graph_key, int64_t first_sample = 1000) {
  MeasurementRow row;
  row.key = {graph_key, "device-a", "openvino", "2026.4.1", "threads=1", "int8", "per-channel", 1, 1};
  row.samples_ns = {first_sample, first_sample + 7, int64_t{1} << 53, -1};
  row.canary_ns = {11, 12, 13, 14};
  row.median_ns = 1003.5;
  row.low_ns = 0.1;
  row.high_ns = 1e300;
  row.raw_median_ns = 1004;
  row.p90_ns = 1007;
  row.canary_median_ns = 12.5;
  row.note = "it's \"fine\"\n";
  row.created = 1'790'000'000;
  return row;
}

inline void ExpectSame(const MeasurementRow& a, const MeasurementRow& b) {
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.estimate, b.estimate);
  EXPECT_EQ(a.samples_ns, b.samples_ns);
  EXPECT_EQ(a.canary_ns, b.canary_ns);
  EXPECT_EQ(a.median_ns, b.median_ns);
  EXPECT_EQ(a.low_ns, b.low_ns);
  EXPECT_EQ(a.high_ns, b.high_ns);
  EXPECT_EQ(a.raw_median_ns, b.raw_median_ns);
  EXPECT_EQ(a.p90_ns, b.p90_ns);
  EXPECT_EQ(a.canary_median_ns, b.canary_median_ns);
  EXPECT_EQ(a.steady, b.steady);
  EXPECT_EQ(a.note, b.note);
  EXPECT_EQ(a.created, b.created);
}

// Opens the store of one case; a test gets a place of its own.
class StoreTest : public testing::TestWithParam<StoreCase> {
 protected:
  void SetUp() override {
    if (const std::string why = GetParam().why_not(); !why.empty()) GTEST_SKIP() << why;
    place_ = GetParam().place(folder_.path());
  }

  std::unique_ptr<Store> Open() const { return OpenStore(place_); }

  TempFolder folder_;
  std::string place_;
};

}  // namespace hot
