// RAII over one PostgreSQL connection and its results; every failure of libpq or the server becomes a hot::Error with
// the address, without its password, in front. Used by postgres_database.cpp and schema.cpp only. Thread rule: one
// thread at a time.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "store/database.h"
#include "store/transaction.h"

struct pg_conn;
struct pg_result;

namespace hot::postgres {

// The server went away, or was never there. As an Error it says so in one line.
class ConnectionLost : public Error {
 public:
  using Error::Error;
};

class Connection {
 public:
  // `url` is a postgresql:// address. Throws Error(kInvalidArgument) for another, ConnectionLost without a server.
  explicit Connection(const std::string& url);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Closes it and connects again.
  void Reconnect();
  // Statements without parameters or rows, separated by ';'.
  void Execute(const std::string& sql);
  // One statement, rows as they arrive.
  void Run(std::string_view sql, std::span<const SqlValue> parameters, const SqlRowVisitor& visit);
  // First column of the first row; `fallback` when there is no row.
  int64_t QueryInteger(std::string_view sql, int64_t fallback);

  const std::string& where() const { return where_; }

 private:
  void Connect();
  // Throws what the result, or the connection, says.
  void Check(const pg_result* result);
  [[noreturn]] void ThrowLost();
  // Reads what a statement still sends, so that the next one can begin.
  void Drain() noexcept;

  std::string url_, where_;
  pg_conn* handle_ = nullptr;
};

// BEGIN ... COMMIT.
class Transaction : public OpenTransaction<Connection> {
 public:
  explicit Transaction(Connection& connection) : OpenTransaction((connection.Execute("BEGIN"), connection)) {}
};

}  // namespace hot::postgres
