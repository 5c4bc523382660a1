// What SqlStore needs from a database; implemented by sqlite/ and postgres/. Both understand the same statements:
// standard SQL with parameters $1, $2, ... that stand in this order for the first time. Thread rule: one thread at a
// time (the store holds a mutex).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace hot {

struct Blob {
  std::string_view bytes;
};
using SqlValue = std::variant<int64_t, double, std::string_view, Blob>;

// Reads the columns of a row, each call the next one.
class SqlRow {
 public:
  virtual ~SqlRow() = default;
  virtual int64_t Integer() = 0;
  virtual double Real() = 0;
  virtual std::string Text() = 0;
  virtual std::string Bytes() = 0;
};

using SqlRowVisitor = std::function<void(SqlRow&)>;

class Database {
 public:
  virtual ~Database() = default;
  // Names the journal in errors: the file, or the address without its password.
  virtual const std::string& where() const = 0;
  // One statement; `visit` gets each row as it arrives. Every failure becomes a hot::Error.
  virtual void Run(std::string_view sql, std::span<const SqlValue> parameters, const SqlRowVisitor& visit) = 0;
  void Execute(std::string_view sql) { Run(sql, {}, {}); }
  // Begins a transaction for writing; `alone`: beside no other that is alone, until its COMMIT or ROLLBACK.
  virtual void Begin(bool alone) = 0;
  // Runs `work`. When the connection was lost in it: connects again, once, and runs it again, with `again` set, for
  // what it sent before may have been done or not.
  virtual void Attempt(const std::function<void(bool again)>& work) { work(false); }
};

}  // namespace hot
