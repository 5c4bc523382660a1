// The Store in a database that understands SQL: statements, rows and transactions, the same for all. Made by
// OpenStore() with one of sqlite/ or postgres/, whose schema has the tables `measurement` and `record`. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "store/database.h"
#include "store/store.h"

namespace hot {

class SqlStore : public Store {
 public:
  explicit SqlStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  void AddMeasurement(const MeasurementRow& row) override;
  std::optional<MeasurementRow> FindMeasurement(const MeasurementKey& key) const override;
  int64_t CountMeasurements(const MeasurementKey& key) const override;
  void VisitMeasurements(const std::string& device, const MeasurementVisitor& visit) const override;
  void AddRecord(const RecordRow& row) override;
  std::optional<RecordRow> FindRecord(const std::string& kind, const std::string& key) const override;
  void VisitRecords(const RecordFilter& filter, const RecordVisitor& visit) const override;
  ImportCounts Import(const JournalRows& next) override;

 private:
  // A query, again where the connection was lost before its first row.
  void Query(std::string_view sql, std::span<const SqlValue> parameters, const SqlRowVisitor& visit) const;

  mutable std::mutex mutex_;
  std::unique_ptr<Database> database_;
};

}  // namespace hot
