# find_package(hot): targets hot::core, hot::graph, hot::blocks, hot::models, hot::store and hot::search, static, C++20.
# They need Debian's libssl-dev, libsqlite3-dev, nlohmann-json3-dev and, unless built without it, libpq-dev.
include(CMakeFindDependencyMacro)
find_dependency(OpenSSL COMPONENTS Crypto)
find_dependency(SQLite3)
find_dependency(nlohmann_json)
find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/hotTargets.cmake")
