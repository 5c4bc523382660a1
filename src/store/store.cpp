#include "store/store.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/files.h"
#include "core/url.h"
#include "store/sql_store.h"
#include "store/sqlite/sqlite_database.h"
#ifdef HOT_POSTGRES
#include "store/postgres/postgres_database.h"
#endif

namespace hot {
namespace {

std::unique_ptr<Database> OpenPostgres(const std::string& url, IfMissing if_missing) {
#ifdef HOT_POSTGRES
  return MakePostgresDatabase(url, if_missing);
#else
  static_cast<void>(if_missing);
  throw Error(Code::kUnimplemented, WithoutPassword(url), "this hot was built without PostgreSQL (HOT_POSTGRES)",
              "name a file");
#endif
}

std::unique_ptr<Database> OpenDatabase(const std::string& where, IfMissing if_missing) {
  if (where.starts_with("postgresql://") || where.starts_with("postgres://")) return OpenPostgres(where, if_missing);
  if (where.find("://") != std::string::npos) {
    throw Error(Code::kInvalidArgument, WithoutPassword(where), "no kind of journal is known by this address",
                "a file, or postgresql://USER@HOST/NAME");
  }
  if (if_missing == IfMissing::kThrow && IsMissingFile(where)) {
    throw Error(Code::kNotFound, where, "there is no journal here");
  }
  return MakeSqliteDatabase(where);
}

}  // namespace

bool IsMissingFile(const std::string& where) {
  std::error_code error;
  return where.find("://") == std::string::npos && !fs::exists(where, error);
}

std::vector<MeasurementRow> Store::Measurements(const std::string& device) const {
  std::map<MeasurementKey, MeasurementRow> newest;
  VisitMeasurements(device, [&](const MeasurementRow& row) {
    const auto [it, added] = newest.try_emplace(row.key, row);
    if (!added && row.created >= it->second.created) it->second = row;
  });
  std::vector<MeasurementRow> rows;
  for (auto& [key, row] : newest) rows.push_back(std::move(row));
  std::ranges::sort(rows, {}, &MeasurementRow::id);
  return rows;
}

std::vector<RecordRow> Store::Records(const std::string& study) const {
  std::vector<RecordRow> rows;
  VisitRecords({.kind = "", .study = study}, [&](const RecordRow& row) { rows.push_back(row); });
  return rows;
}

std::unique_ptr<Store> OpenStore(const std::string& where, IfMissing if_missing) {
  return std::make_unique<SqlStore>(OpenDatabase(where, if_missing));
}

}  // namespace hot
