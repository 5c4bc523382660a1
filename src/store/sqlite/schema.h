// The journal's schema as numbered forward migrations. Called once by MakeSqliteDatabase(). To change the format:
// append a migration here and in postgres/, describe it in docs/formats/journal.md, keep the fixtures of older versions
// readable. Migrate() also serves the agent's job queue, with migrations of its own. Thread rule: as Connection.
#pragma once

#include <span>
#include <string_view>

#include "store/sqlite/connection.h"

namespace hot::sqlite {

// Element i brings a journal of version i to version i + 1. Never edit one that was released.
std::span<const std::string_view> JournalMigrations();

// Brings the file to version migrations.size(), each migration in its own transaction; safe when several processes do
// it at once. Throws kFailedPrecondition for a newer version (the file is left as it was) and kDataLoss for a database
// of another kind.
void Migrate(Connection& connection, std::span<const std::string_view> migrations);

}  // namespace hot::sqlite
