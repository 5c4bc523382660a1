// A journal in one SQLite file, for OpenStore(). Other processes are waited for by SQLite's busy timeout.
#pragma once

#include <memory>

#include "core/files.h"
#include "store/database.h"

namespace hot {

// Opens or makes the file and brings its schema forward. Throws as OpenStore() says.
std::unique_ptr<Database> MakeSqliteDatabase(const fs::path& file);

}  // namespace hot
