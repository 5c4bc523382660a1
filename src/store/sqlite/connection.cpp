#include "store/sqlite/connection.h"

#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "core/error.h"

namespace hot::sqlite {
namespace {

// SQLite says "full" for ENOSPC only; a quota, a file-size limit and no room for the shared index are I/O errors to it.
bool IsFull(int extended_status) {
  return extended_status == SQLITE_FULL || extended_status == SQLITE_IOERR_WRITE ||
         extended_status == SQLITE_IOERR_SHMSIZE;
}

// SQLite tries again read-only when it may not write, which hides the first errno: so the folder is asked.
bool IsForbidden(const fs::path& file, int status) {
  if (status == SQLITE_READONLY || status == SQLITE_PERM) return true;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  return status == SQLITE_CANTOPEN && ::access(folder.c_str(), W_OK | X_OK) != 0;
}

[[noreturn]] void Throw(const fs::path& file, FileKind kind, const std::string& what, int extended_status,
                        const std::string& reason) {
  const int status = extended_status & 0xff;
  const std::string where = file.string(), name(kind.name);
  const std::string message = what + ": " + reason;
  if (IsFull(extended_status)) {
    throw Error(Code::kResourceExhausted, where, what + ": the disk is full or over its quota",
                "free some disk space and run the same command again; rows already written are safe");
  }
  if (IsForbidden(file, status)) {
    throw Error(Code::kPermissionDenied, where, message, "choose a " + name + " in a folder you may write to");
  }
  if (status == SQLITE_NOTADB) {
    throw Error(Code::kDataLoss, where, "not a " + name + ": the file is not a database",
                "name another file, or move this one away and a new " + name + " is made");
  }
  if (status == SQLITE_CORRUPT) {
    throw Error(Code::kDataLoss, where, "the " + name + " is damaged: " + reason,
                "restore a copy, or move the file away and a new " + name + " is made");
  }
  if (status == SQLITE_BUSY || status == SQLITE_LOCKED) {
    throw Error(Code::kUnavailable, where, what + ": another process is holding the " + name,
                "wait for it, then run the same command again");
  }
  throw Error(status == SQLITE_CANTOPEN ? Code::kFailedPrecondition : Code::kInternal, where, message);
}

}  // namespace

Connection::Connection(const fs::path& file, int busy_timeout_ms, FileKind kind)
    : file_(file), busy_timeout_ms_(busy_timeout_ms), kind_(kind) {
  std::error_code ignored;
  if (fs::is_directory(file, ignored)) {
    throw Error(Code::kFailedPrecondition, file.string(), "is a folder, not a " + std::string(kind.name),
                "name a file in it");
  }
  if (file.has_parent_path()) EnsureFolder(file.parent_path());
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int status = sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr);
  if (status != SQLITE_OK) {
    sqlite3_close(handle_);
    Throw(file_, kind_, "can't open", status, sqlite3_errstr(status));
  }
  if (sqlite3_db_readonly(handle_, "main") == 1) {
    sqlite3_close(handle_);
    Throw(file_, kind_, "can't open", SQLITE_READONLY, "the file is read-only");
  }
  sqlite3_busy_timeout(handle_, busy_timeout_ms);
}

Connection::~Connection() { sqlite3_close(handle_); }

// Two processes that make the same new file at once may see "busy" here without the busy handler being asked.
void Connection::UseWal() {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(busy_timeout_ms_);
  while (true) {
    try {
      Execute("PRAGMA journal_mode = WAL");
      return;
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable || std::chrono::steady_clock::now() > give_up) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
}

void Connection::Execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) ThrowLast("can't write");
}

int64_t Connection::QueryInteger(const std::string& sql) {
  Statement statement(*this, sql);
  HOT_ASSERT(statement.Step());
  return statement.Integer();
}

std::string Connection::QueryText(const std::string& sql) {
  Statement statement(*this, sql);
  HOT_ASSERT(statement.Step());
  return statement.Text();
}

void Connection::ThrowLast(const std::string& what) const {
  Throw(file_, kind_, what, sqlite3_extended_errcode(handle_), sqlite3_errmsg(handle_));
}

Statement::Statement(const Connection& connection, std::string_view sql) : connection_(connection) {
  Check(sqlite3_prepare_v2(connection.handle(), sql.data(), static_cast<int>(sql.size()), &handle_, nullptr),
        "can't read");
}

Statement::~Statement() { sqlite3_finalize(handle_); }

void Statement::Check(int status, const char* what) const {
  if (status != SQLITE_OK) connection_.ThrowLast(what);
}

Statement& Statement::Bind(int64_t value) {
  Check(sqlite3_bind_int64(handle_, ++bound_, value), "can't bind");
  return *this;
}

Statement& Statement::Bind(double value) {
  Check(sqlite3_bind_double(handle_, ++bound_, value), "can't bind");
  return *this;
}

Statement& Statement::Bind(std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  Check(sqlite3_bind_text64(handle_, ++bound_, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8), "can't bind");
  return *this;
}

Statement& Statement::BindBlob(std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  Check(sqlite3_bind_blob64(handle_, ++bound_, data, bytes.size(), SQLITE_TRANSIENT), "can't bind");
  return *this;
}

bool Statement::Step() {
  column_ = 0;
  const int status = sqlite3_step(handle_);
  if (status == SQLITE_ROW) return true;
  if (status != SQLITE_DONE) connection_.ThrowLast(sqlite3_stmt_readonly(handle_) != 0 ? "can't read" : "can't write");
  return false;
}

int64_t Statement::Integer() { return sqlite3_column_int64(handle_, column_++); }

double Statement::Real() { return sqlite3_column_double(handle_, column_++); }

std::string Statement::Text() {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column_));
  const auto size = static_cast<size_t>(sqlite3_column_bytes(handle_, column_++));
  return data == nullptr ? std::string() : std::string(data, size);
}

std::string Statement::Blob() {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_, column_));
  const auto size = static_cast<size_t>(sqlite3_column_bytes(handle_, column_++));
  return data == nullptr ? std::string() : std::string(data, size);
}

}  // namespace hot::sqlite
