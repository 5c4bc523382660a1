// RAII over one SQLite connection and its statements; every SQLite failure becomes a hot::Error with the file in front.
// Used by the journal (sqlite_database.cpp, schema.cpp) and by the agent's job queue (src/server). Thread rule: one
// thread at a time (its owner holds a mutex).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "store/transaction.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hot::sqlite {

// One kind of files: what messages call it, and the number in PRAGMA application_id that tells it from others.
struct FileKind {
  std::string_view name;
  int64_t application_id = 0;
};
inline constexpr FileKind kJournal = {"journal", 0x484f544a};  // "HOTJ"

class Connection {
 public:
  // Opens or makes the file; waits up to `busy_timeout_ms` for other writers. Throws as OpenStore() says.
  Connection(const fs::path& file, int busy_timeout_ms, FileKind kind = kJournal);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Write-ahead log: readers do not wait for a writer. Waits for others who are opening the file.
  void UseWal();
  // Runs one or more statements that return nothing of interest.
  void Execute(const std::string& sql);
  // First column of the first row of a query that always has one.
  int64_t QueryInteger(const std::string& sql);
  std::string QueryText(const std::string& sql);
  // Throws the error of the last failed call: full disk, no permission, damaged file, held by another process.
  [[noreturn]] void ThrowLast(const std::string& what) const;

  const fs::path& file() const { return file_; }
  const FileKind& kind() const { return kind_; }
  sqlite3* handle() const { return handle_; }

 private:
  fs::path file_;
  int busy_timeout_ms_;
  FileKind kind_;
  sqlite3* handle_ = nullptr;
};

class Statement {
 public:
  Statement(const Connection& connection, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Binds the next parameter.
  Statement& Bind(int64_t value);
  Statement& Bind(double value);
  Statement& Bind(std::string_view text);
  Statement& BindBlob(std::string_view bytes);

  // True while there is a row.
  bool Step();

  // Reads the next column of the row.
  int64_t Integer();
  double Real();
  std::string Text();
  std::string Blob();

 private:
  void Check(int status, const char* what) const;

  const Connection& connection_;
  sqlite3_stmt* handle_ = nullptr;
  int bound_ = 0;
  int column_ = 0;
};

// BEGIN IMMEDIATE ... COMMIT.
class Transaction : public OpenTransaction<Connection> {
 public:
  explicit Transaction(Connection& connection) : OpenTransaction((connection.Execute("BEGIN IMMEDIATE"), connection)) {}
};

}  // namespace hot::sqlite
