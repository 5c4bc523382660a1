// A transaction that has begun on a connection with Execute(): rolled back when it is destroyed without Commit(). For
// the databases of this module; thread rule as theirs.
#pragma once

#include "core/error.h"

namespace hot {

template <typename Connection>
class OpenTransaction {
 public:
  explicit OpenTransaction(Connection& connection) : connection_(connection) {}
  ~OpenTransaction() {
    if (!open_) return;
    try {
      connection_.Execute("ROLLBACK");
    } catch (const Error&) {  // the connection is gone, and the transaction with it
    }
  }
  OpenTransaction(const OpenTransaction&) = delete;
  OpenTransaction& operator=(const OpenTransaction&) = delete;
  void Commit() {
    connection_.Execute("COMMIT");
    open_ = false;
  }

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace hot
