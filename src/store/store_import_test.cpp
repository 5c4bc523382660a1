// Rows of other journals, in every store.
#include <tuple>

#include "core/error.h"
#include "gtest/gtest.h"
#include "store/testing/store_case.h"

namespace hot {
namespace {

class StoreImport : public StoreTest {};

// Gives these rows, then throws if it should.
JournalRows Given(std::vector<JournalRow> rows, bool throws = false) {
  return [rows = std::move(rows), throws, i = size_t{0}]() mutable -> std::optional<JournalRow> {
    if (i < rows.size()) return rows[i++];
    if (throws) throw Error(Code::kDataLoss, "file", "is cut short");
    return std::nullopt;
  };
}

TEST_P(StoreImport, ImportingTwiceAddsNothing) {
  const auto store = Open();
  MeasurementRow other = TestRow("g1", 2000);
  other.note = "another try";
  const RecordRow record{.kind = "trial", .key = "k", .study = "s", .body = "{}", .created = 3};
  RecordRow later = record;
  later.created = 4;
  const std::vector<JournalRow> rows{TestRow("g1"), other, record, TestRow("g2"), later};
  ImportCounts counts = store->Import(Given(rows));
  EXPECT_EQ(std::tuple(counts.measurements, counts.records, counts.known), std::tuple(3, 2, 0));
  counts = store->Import(Given(rows));
  EXPECT_EQ(std::tuple(counts.measurements, counts.records, counts.known), std::tuple(0, 0, 5));
  EXPECT_EQ(store->CountMeasurements(TestRow("g1").key), 2);
  ExpectSame(*store->FindMeasurement(TestRow("g2").key), TestRow("g2"));
  EXPECT_EQ(store->FindRecord("trial", "k")->created, 4);
}

TEST_P(StoreImport, AnImportThatFailsImportsNothing) {
  const auto store = Open();
  store->AddMeasurement(TestRow("g0"));
  EXPECT_THROW(store->Import(Given({TestRow("g1"), TestRow("g2")}, /*throws=*/true)), Error);
  MeasurementRow uneven = TestRow("g3");
  uneven.canary_ns.pop_back();
  EXPECT_THROW(store->Import(Given({TestRow("g1"), uneven})), Error);
  EXPECT_EQ(store->Measurements("device-a").size(), 1u);
  store->AddMeasurement(TestRow("g1"));  // and the store goes on
  EXPECT_EQ(store->Measurements("device-a").size(), 2u);
}

// What counts is when a row was measured, not when it was imported; so two journals that exchange rows agree.
TEST_P(StoreImport, AnOlderRowImportedDoesNotSupersede) {
  const auto store = Open();
  MeasurementRow older = TestRow("g1", 1), newer = TestRow("g1", 3);
  older.created -= 100;
  newer.created += 100;
  store->AddMeasurement(TestRow("g1", 2));
  store->Import(Given({older}));
  EXPECT_EQ(store->FindMeasurement(older.key)->samples_ns[0], 2);
  ASSERT_EQ(store->Measurements("device-a").size(), 1u);
  EXPECT_EQ(store->Measurements("device-a")[0].samples_ns[0], 2);
  store->Import(Given({newer}));
  EXPECT_EQ(store->FindMeasurement(older.key)->samples_ns[0], 3);
  EXPECT_EQ(store->Measurements("device-a")[0].samples_ns[0], 3);
  EXPECT_EQ(store->CountMeasurements(older.key), 3);
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreImport, testing::ValuesIn(StoreCases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hot
