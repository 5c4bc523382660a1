// The journal's schema in PostgreSQL as numbered forward migrations, beside those of sqlite/schema.h. Called once by
// MakePostgresDatabase(). To change the format: append a migration to both. Thread rule: as Connection.
#pragma once

#include <span>
#include <string_view>

#include "store/postgres/connection.h"

namespace hot::postgres {

// Element i brings a journal of version i to version i + 1. Never edit one that was released.
std::span<const std::string_view> JournalMigrations();

// Version of the journal in this database; 0 when there is none. Throws Error(kDataLoss) when the schema `hot_journal`
// is another program's.
int64_t JournalVersion(Connection& connection);

// Brings it to version migrations.size() in one transaction; safe when several processes do it at once. Needs no right
// to write when there is nothing to do. Throws kFailedPrecondition for a newer version (left as it was).
void Migrate(Connection& connection, std::span<const std::string_view> migrations);

}  // namespace hot::postgres
