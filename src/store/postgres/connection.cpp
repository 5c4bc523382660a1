#include "store/postgres/connection.h"

#include <libpq-fe.h>

#include <array>
#include <charconv>
#include <new>
#include <vector>

#include "core/url.h"

namespace hot::postgres {
namespace {

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

// Types of parameters (pg_type.dat of the server's source).
constexpr Oid kBytea = 17, kInt8 = 20, kText = 25, kFloat8 = 701;

// Messages of libpq are of several lines and end with one; an Error is one line.
std::string OneLine(const char* message) {
  std::string text(message == nullptr ? "" : message);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) text.replace(end, 1, "; ");
  return text.empty() ? "no reason was given" : text;
}

[[noreturn]] void ThrowBadAddress(const std::string& where) {
  throw Error(Code::kInvalidArgument, where, "is no address of a PostgreSQL database",
              "postgresql://USER@HOST:PORT/NAME; special characters of a password are written as %XX");
}

// libpq quotes the address, and so the password, where it does not understand it: so its words are not passed on.
void CheckAddress(const std::string& url, const std::string& where) {
  if (!HasPlainUserPart(url)) ThrowBadAddress(where);
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(url.c_str(), nullptr),
                                                                             &PQconninfoFree);
  if (options == nullptr) ThrowBadAddress("postgresql://...");
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    const std::string_view value = option->val == nullptr ? "" : option->val;
    const bool is_port = option->keyword == std::string_view("port");
    if (is_port && value.find_first_not_of("0123456789,") != std::string_view::npos)
      ThrowBadAddress("postgresql://...");
  }
}

struct Failure {
  std::string_view state;  // SQLSTATE, or the class that it begins with (appendix A of PostgreSQL's manual)
  Code code;
  std::string_view hint;
};

constexpr std::array kFailures = {
    Failure{"53100", Code::kResourceExhausted, "free some disk space on the server; rows already written are safe"},
    Failure{"53", Code::kResourceExhausted, "run the same command again; rows already written are safe"},
    Failure{"42501", Code::kPermissionDenied, "the database's owner may GRANT it"},
    Failure{"25006", Code::kPermissionDenied, "name a server that takes writes"},
    Failure{"55P03", Code::kUnavailable, "another process is holding the journal: run the same command again later"},
    Failure{"40", Code::kUnavailable, "run the same command again"},
    Failure{"XX001", Code::kDataLoss, "the server's disk may be broken"},
    Failure{"XX002", Code::kDataLoss, "the server's disk may be broken"},
};

[[noreturn]] void ThrowState(const std::string& where, std::string_view state, const std::string& reason) {
  for (const Failure& failure : kFailures) {
    if (state.starts_with(failure.state)) throw Error(failure.code, where, reason, std::string(failure.hint));
  }
  throw Error(Code::kInternal, where, reason);
}

class Row : public SqlRow {
 public:
  Row(const PGresult* result, const std::string& where) : result_(result), where_(where) {}

  int64_t Integer() override { return Number<int64_t>(); }
  double Real() override { return Number<double>(); }
  std::string Text() override { return std::string(Next()); }

  std::string Bytes() override {
    size_t size = 0;
    const std::unique_ptr<unsigned char, decltype(&PQfreemem)> bytes(
        PQunescapeBytea(reinterpret_cast<const unsigned char*>(std::string(Next()).c_str()), &size), &PQfreemem);
    if (bytes == nullptr) throw std::bad_alloc();
    return std::string(reinterpret_cast<const char*>(bytes.get()), size);
  }

 private:
  std::string_view Next() {
    const int column = column_++;
    return {PQgetvalue(result_, 0, column), static_cast<size_t>(PQgetlength(result_, 0, column))};
  }

  template <typename T>
  T Number() {
    const std::string_view text = Next();
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return value;
    throw Error(Code::kDataLoss, where_, "the journal is damaged: a number reads \"" + std::string(text) + "\"");
  }

  const PGresult* result_;
  const std::string& where_;
  int column_ = 0;
};

// What PQsendQueryParams wants: types, texts, lengths, and which are binary.
class Parameters {
 public:
  explicit Parameters(std::span<const SqlValue> values) {
    texts_.reserve(values.size());
    for (const SqlValue& value : values) std::visit([this](auto v) { Add(v); }, value);
    for (const std::string& text : texts_) {
      pointers_.push_back(text.c_str());
      lengths_.push_back(static_cast<int>(text.size()));
    }
  }

  bool Send(PGconn* connection, const std::string& sql) const {
    return PQsendQueryParams(connection, sql.c_str(), static_cast<int>(texts_.size()), types_.data(), pointers_.data(),
                             lengths_.data(), binary_.data(), /*resultFormat=*/0) == 1;
  }

 private:
  void Add(int64_t value) { Add(kInt8, std::to_string(value), false); }
  void Add(std::string_view value) { Add(kText, std::string(value), false); }
  void Add(Blob value) { Add(kBytea, std::string(value.bytes), true); }
  void Add(double value) {
    char text[40];
    const auto result = std::to_chars(text, text + sizeof text, value);  // shortest that is read back the same
    Add(kFloat8, std::string(text, result.ptr), false);
  }
  void Add(Oid type, std::string text, bool is_binary) {
    types_.push_back(type);
    texts_.push_back(std::move(text));
    binary_.push_back(is_binary ? 1 : 0);
  }

  std::vector<Oid> types_;
  std::vector<std::string> texts_;
  std::vector<const char*> pointers_;
  std::vector<int> lengths_, binary_;
};

void IgnoreNotice(void*, const PGresult*) {}

}  // namespace

Connection::Connection(const std::string& url) : url_(url), where_(WithoutPassword(url)) {
  CheckAddress(url_, where_);
  Connect();
}

Connection::~Connection() { PQfinish(handle_); }

void Connection::Connect() {
  // What stands behind the address counts more than it, what stands before it less.
  const char* const keywords[] = {"connect_timeout",
                                  "keepalives_idle",
                                  "tcp_user_timeout",
                                  "fallback_application_name",
                                  "dbname",
                                  "client_encoding",
                                  nullptr};
  const char* const values[] = {"10", "30", "30000", "hot", url_.c_str(), "UTF8", nullptr};
  handle_ = PQconnectdbParams(keywords, values, /*expand_dbname=*/1);
  if (handle_ == nullptr) throw std::bad_alloc();
  if (PQstatus(handle_) != CONNECTION_OK) {
    const std::string reason = OneLine(PQerrorMessage(handle_));
    PQfinish(handle_);
    handle_ = nullptr;
    throw ConnectionLost(Code::kUnavailable, where_, reason,
                         "a password may come from the variable PGPASSWORD or the file ~/.pgpass");
  }
  PQsetNoticeReceiver(handle_, IgnoreNotice, nullptr);
  Execute(
      "SET search_path TO hot_journal; SET lock_timeout TO '30s'; SET extra_float_digits TO 3; SET bytea_output TO "
      "hex");
}

void Connection::Reconnect() {
  PQfinish(handle_);
  handle_ = nullptr;
  Connect();
}

void Connection::ThrowLost() {
  throw ConnectionLost(Code::kUnavailable, where_,
                       "lost the connection to the server: " + OneLine(PQerrorMessage(handle_)),
                       "run the same command again; rows already written are safe");
}

void Connection::Check(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE) return;
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* const reason = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string_view class_of = state == nullptr ? "" : std::string_view(state);
  // 57P0x: the server is shutting down or crashed; its last words come before the end of the connection.
  if (class_of.empty() || class_of.starts_with("57P0") || PQstatus(handle_) == CONNECTION_BAD) ThrowLost();
  ThrowState(where_, class_of, OneLine(reason));
}

void Connection::Drain() noexcept {
  while (PGresult* const result = PQgetResult(handle_)) PQclear(result);
}

void Connection::Execute(const std::string& sql) {
  if (handle_ == nullptr) Connect();
  const Result result(PQexec(handle_, sql.c_str()), &PQclear);
  Check(result.get());
}

void Connection::Run(std::string_view sql, std::span<const SqlValue> parameters, const SqlRowVisitor& visit) {
  if (handle_ == nullptr) Connect();
  if (!Parameters(parameters).Send(handle_, std::string(sql))) ThrowLost();
  PQsetSingleRowMode(handle_);
  try {
    while (true) {
      const Result result(PQgetResult(handle_), &PQclear);
      if (result == nullptr) return;
      Check(result.get());
      if (PQresultStatus(result.get()) != PGRES_SINGLE_TUPLE) continue;
      Row row(result.get(), where_);
      if (visit) visit(row);
    }
  } catch (...) {
    Drain();
    throw;
  }
}

int64_t Connection::QueryInteger(std::string_view sql, int64_t fallback) {
  Run(sql, {}, [&](SqlRow& row) { fallback = row.Integer(); });
  return fallback;
}

}  // namespace hot::postgres
