// A journal in a PostgreSQL database (its schema `hot_journal`), for OpenStore(): many machines at once.
#pragma once

#include <memory>
#include <string>

#include "store/database.h"
#include "store/store.h"

namespace hot {

// Connects, and makes the journal or brings it forward. Throws as OpenStore() says.
std::unique_ptr<Database> MakePostgresDatabase(const std::string& url, IfMissing if_missing);

}  // namespace hot
