#include "store/sqlite/sqlite_database.h"

#include "core/error.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/schema.h"

namespace hot {
namespace {

using sqlite::Connection;
using sqlite::Statement;

constexpr int kBusyTimeoutMs = 30'000;

class Row : public SqlRow {
 public:
  explicit Row(Statement& statement) : statement_(statement) {}
  int64_t Integer() override { return statement_.Integer(); }
  double Real() override { return statement_.Real(); }
  std::string Text() override { return statement_.Text(); }
  std::string Bytes() override { return statement_.Blob(); }

 private:
  Statement& statement_;
};

void Bind(Statement& statement, int64_t value) { statement.Bind(value); }
void Bind(Statement& statement, double value) { statement.Bind(value); }
void Bind(Statement& statement, std::string_view value) { statement.Bind(value); }
void Bind(Statement& statement, Blob value) { statement.BindBlob(value.bytes); }

class SqliteDatabase : public Database {
 public:
  explicit SqliteDatabase(const fs::path& file) : connection_(file, kBusyTimeoutMs), where_(file.string()) {
    sqlite::Migrate(connection_, sqlite::JournalMigrations());
    connection_.UseWal();
    connection_.Execute("PRAGMA synchronous = NORMAL");
  }

  const std::string& where() const override { return where_; }
  void Begin(bool) override { connection_.Execute("BEGIN IMMEDIATE"); }

  void Run(std::string_view sql, std::span<const SqlValue> parameters, const SqlRowVisitor& visit) override {
    Statement statement(connection_, sql);
    for (const SqlValue& value : parameters) std::visit([&](auto v) { Bind(statement, v); }, value);
    while (statement.Step()) {
      Row row(statement);
      visit(row);
    }
  }

 private:
  Connection connection_;
  std::string where_;
};

}  // namespace

std::unique_ptr<Database> MakeSqliteDatabase(const fs::path& file) { return std::make_unique<SqliteDatabase>(file); }

}  // namespace hot
