#include "store/postgres/postgres_database.h"

#include "store/postgres/connection.h"
#include "store/postgres/schema.h"

namespace hot {
namespace {

constexpr int kImportLock = 0x484f544b;  // "HOTK"

class PostgresDatabase : public Database {
 public:
  PostgresDatabase(const std::string& url, IfMissing if_missing) : connection_(url) {
    if (if_missing == IfMissing::kThrow && postgres::JournalVersion(connection_) == 0) {
      throw Error(Code::kNotFound, where(), "there is no journal in this database");
    }
    postgres::Migrate(connection_, postgres::JournalMigrations());
  }

  const std::string& where() const override { return connection_.where(); }

  void Begin(bool alone) override {
    connection_.Execute("BEGIN");
    if (alone) connection_.Execute("SELECT pg_advisory_xact_lock(" + std::to_string(kImportLock) + ")");
  }

  void Run(std::string_view sql, std::span<const SqlValue> parameters, const SqlRowVisitor& visit) override {
    connection_.Run(sql, parameters, visit);
  }

  void Attempt(const std::function<void(bool again)>& work) override {
    try {
      work(/*again=*/false);
    } catch (const postgres::ConnectionLost&) {
      connection_.Reconnect();
      work(/*again=*/true);
    }
  }

 private:
  postgres::Connection connection_;
};

}  // namespace

std::unique_ptr<Database> MakePostgresDatabase(const std::string& url, IfMissing if_missing) {
  return std::make_unique<PostgresDatabase>(url, if_missing);
}

}  // namespace hot
